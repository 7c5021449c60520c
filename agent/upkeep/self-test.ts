import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import { alphaByDevice, makeUpFor, stuckPart, verifyOf } from "./mending.ts";
import { moveToSpares } from "./spare-columns.ts";

/** What a self-test of a tile found and mended. */
export interface Repair {
  /** Devices that a write does not move, by number. */
  readonly stuck: readonly number[];
  readonly written: WriteCount;
  /** How often every device was read, and how often the response to one-hot inputs. */
  readonly readings: number;
  readonly responses: number;
  /** Outputs that were moved to spare columns. */
  readonly moved: number;
}

/** Weights that are off by so much of the range of a device, and by so many typical deviations of their tile, are suspect. */
const suspectPart = 0.05;
const suspectDeviations = 2.5;
/**
 * Find weights of a tile that are far off, write them anew, and where a device does not follow let its partner make up
 * for it, or a spare column take the place of its column:
 *
 *   1. read all devices: a pair is suspect where |α (g⁺ − g⁻) − (W⁺ − W⁻)| is large, and larger than of others; to `trim`
 *      a tile that was just programmed, each device that is further off than verified writes leave it
 *   2. write suspects to W± / α, and read again: a device that is still off is stuck
 *   3. its partner is written to  g_stuck ∓ (W⁺ − W⁻) / α, as far as its range goes
 *   4. outputs for which that does not go far enough move to spare columns: `moveToSpares`
 *
 * W is what the weights say, α the factor of the output. Reads go through the converter and have their noise. Columns
 * without an output are left out: nothing depends on them.
 *
 * @param moment tells the reads apart from those at other times: an integer ≥ 0
 */
export const repair = (tile: Tile, device: DeviceModel, moment: number, how: "mend" | "trim" = "mend"): Repair => {
  const range = device.gMaxSiemens - device.gMinSiemens;
  const first = tile.readDevices(4 * moment);
  const suspects = how === "trim" ? outsideBand(tile, device, first) : suspectPairs(tile, range, first);
  if (suspects.length === 0) return { stuck: [], written: noWrites, readings: 1, responses: 0, moved: 0 };

  const wanted = tile.targetsSiemens("weights");
  const alphaOf = alphaByDevice(tile);
  const aims = suspects.map((d) => wanted[d]! / alphaOf(d));
  let written = tile.rewrite(suspects, verifyOf(device), aims);
  const targets = tile.targetsSiemens();
  const readings = tile.readDevices(4 * moment + 1);
  const stuck = suspects.filter((d) => Math.abs(readings[d]! - targets[d]!) > stuckPart * range);
  if (stuck.length === 0) return { stuck, written, readings: 2, responses: 2, moved: 0 };

  const held = new Map(stuck.map((d) => [d, readings[d]!]));
  const { devices, siemens } = makeUpFor(held, wanted, alphaOf);
  written = addWrites(written, tile.rewrite(devices, verifyOf(device), siemens));
  const spares = moveToSpares(tile, device, held, 4 * moment + 2);
  return {
    stuck: [...stuck, ...spares.stuck],
    written: addWrites(written, spares.written),
    readings: 2 + spares.readings,
    responses: 4 + spares.responses,
    moved: spares.moved,
  };
};

/** Both devices of the pairs that are far off, by number. */
const suspectPairs = (tile: Tile, range: number, readings: Float32Array): readonly number[] => {
  const { plus, off } = pairsOf(tile, readings);
  const typical = 1.4826 * median(off);
  const limit = Math.max(suspectPart * range, suspectDeviations * typical);
  return plus.filter((_, pair) => off[pair]! > limit).flatMap((d) => [d, d + 1]);
};

/** Devices that read further off than a verified write accepts. */
const outsideBand = (tile: Tile, device: DeviceModel, readings: Float32Array): readonly number[] => {
  const wanted = tile.targetsSiemens("weights");
  const { acceptanceSiemens } = verifyOf(device);
  const alphaOf = alphaByDevice(tile);
  const all = Array.from(tile.alpha.keys()).flatMap((output) => [...tile.columnOf(output).devices]);
  // What reads nothing and should conduct least, or was never formed, is as it should be.
  return all
    .filter((d) => readings[d]! > 0 || wanted[d]! > device.gMinSiemens)
    .filter((d) => Math.abs(readings[d]! - wanted[d]! / alphaOf(d)) > acceptanceSiemens);
};

/** The pairs that outputs depend on, by their plus devices, and how far each weight is off, S: |α (g⁺ − g⁻) − (W⁺ − W⁻)|. */
const pairsOf = (
  tile: Tile,
  readings: Float32Array,
): { readonly plus: readonly number[]; readonly off: Float64Array } => {
  const wanted = tile.targetsSiemens("weights");
  const plus: number[] = [];
  const off = new Float64Array(readings.length / 2);
  for (const [output, alpha] of tile.alpha.entries()) {
    for (const d of tile.columnOf(output).devices) {
      if (d % 2 === 1) continue;
      const difference = alpha * (readings[d]! - readings[d + 1]!);
      off[plus.length] = Math.abs(difference - (wanted[d]! - wanted[d + 1]!));
      plus.push(d);
    }
  }
  return { plus, off: off.subarray(0, plus.length) };
};

const median = (values: Float64Array): number => {
  const sorted = values.slice().sort();
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
};
