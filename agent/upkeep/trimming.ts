import { TileCells } from "../../models/crossbar/cells.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { referenceCelsius } from "../../models/crossbar/temperature.ts";
import { verifyOf } from "./mending.ts";

/** Devices that are tried, more of them at low conductances, as weights are. */
const devices = 2048;
const monthSeconds = 30 * 86_400;
/** Trimming is worth its pulses where a month later it leaves less than this part of the error. */
const worthwhile = 0.75;

const known = new WeakMap<DeviceModel, boolean>();

/**
 * Whether verified writes of a kind of device are expected to last: by its model, what devices are off by a month after a
 * verified write is a quarter less than after a single pulse. That is so where a device that was written well stays so, and
 * not where each drifts in a way of its own, which outgrows what the write left within days.
 */
export const verifiedWritesLast = (device: DeviceModel): boolean => {
  let lasts = known.get(device);
  if (lasts === undefined) {
    lasts = errorAfterMonth(device, true) < worthwhile * errorAfterMonth(device, false);
    known.set(device, lasts);
  }
  return lasts;
};

/** Root mean square of what devices are off by, but for a factor in common, which calibration gives back. */
const errorAfterMonth = (device: DeviceModel, isVerified: boolean): number => {
  const { gMinSiemens, gMaxSiemens } = device;
  const targets = new Float32Array(devices).map(
    (_, d) => gMinSiemens + (gMaxSiemens - gMinSiemens) * (d / devices) ** 2,
  );
  const shape = { columns: 1, inputs: devices / 2, crossbars: 1 };
  const key = { seed: 1, arrayId: 0, index: 0 };
  const cells = new TileCells(targets, shape, device, key, undefined, new Uint32Array(), false);
  cells.write("all", 0, isVerified ? verifyOf(device) : undefined);
  const later = new Float32Array(devices);
  cells.conductances(monthSeconds, referenceCelsius, later);
  const sum = (of: (d: number) => number) => targets.reduce((all, _, d) => all + of(d), 0);
  const factor = sum((d) => targets[d]! ** 2) / sum((d) => targets[d]! * later[d]!);
  return Math.sqrt(sum((d) => (factor * later[d]! - targets[d]!) ** 2) / devices);
};
