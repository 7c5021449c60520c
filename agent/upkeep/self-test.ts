import { devicesOf } from "../../models/crossbar/columns.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import { alphaByDevice, lostPart, makeUpFor, stuckPart, verifyOf } from "./mending.ts";
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
  /** The part of the tile's weights, in squares, that stuck devices keep it from holding all the same. */
  readonly lost: number;
}

/** Weights that are off by so much of the range of a device, and by so many typical deviations of their tile, are suspect. */
const suspectPart = 0.05;
const suspectDeviations = 2.5;
/** At most so much of the range: of a tile that is dead for the most part that is typical, too. */
const mostSuspectPart = 0.3;
/**
 * Find weights of a tile that are far off, write them anew, and where a device does not follow let its partner make up
 * for it, or a spare column take the place of its column:
 *
 *   1. read all devices: a pair is suspect where |α (g⁺ − g⁻) − (W⁺ − W⁻)| is large, and larger than of others; to `trim`
 *      a tile that was just programmed, each device that is further off than verified writes leave it
 *   2. write suspects to W± / α, and read again; what is still off once more: one that is off both times is stuck, as reads
 *      and writes are by chance, too
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
  const first = tile.readDevices(8 * moment);
  const suspects = how === "trim" ? outsideBand(tile, device, first) : suspectPairs(tile, range, first);
  if (suspects.length === 0) return { stuck: [], written: noWrites, readings: 1, responses: 0, moved: 0, lost: 0 };

  const wanted = tile.targetsSiemens("weights");
  const alphaOf = alphaByDevice(tile);
  const aims = suspects.map((d) => wanted[d]! / alphaOf(d));
  let written = tile.rewrite(suspects, verifyOf(device), aims);
  const targets = tile.targetsSiemens();
  const isOff = (d: number, readings: Float32Array) => Math.abs(readings[d]! - targets[d]!) > stuckPart * range;
  const second = tile.readDevices(8 * moment + 1);
  const doubtful = suspects.filter((d) => isOff(d, second));
  if (doubtful.length === 0) return { stuck: [], written, readings: 2, responses: 2, moved: 0, lost: 0 };

  written = addWrites(written, tile.rewrite(doubtful, verifyOf(device)));
  const third = tile.readDevices(8 * moment + 2);
  const stuck = doubtful.filter((d) => isOff(d, third));
  if (stuck.length === 0) return { stuck, written, readings: 3, responses: 4, moved: 0, lost: 0 };

  const held = new Map(stuck.map((d) => [d, (second[d]! + third[d]!) / 2]));
  const { devices, siemens } = makeUpFor(held, wanted, alphaOf);
  written = addWrites(written, tile.rewrite(devices, verifyOf(device), siemens));
  const spares = moveToSpares(tile, device, held, 8 * moment + 3);
  return {
    stuck: [...stuck, ...spares.held.keys()],
    written: addWrites(written, spares.written),
    readings: 3 + spares.readings,
    responses: 6 + spares.responses,
    moved: spares.moved,
    lost: lostPart(tile, new Map([...held, ...spares.held]), device),
  };
};

/** Both devices of the pairs that are far off, by number: |α (g⁺ − g⁻) − (W⁺ − W⁻)|, S, of those that outputs depend on. */
const suspectPairs = (tile: Tile, range: number, readings: Float32Array): readonly number[] => {
  const wanted = tile.targetsSiemens("weights");
  const alphaOf = alphaByDevice(tile);
  const devices = devicesOfOutputs(tile);
  const off = new Float32Array(devices.length / 2);
  for (let pair = 0; pair < off.length; pair++) {
    const d = devices[2 * pair]!;
    off[pair] = Math.abs(alphaOf(d) * (readings[d]! - readings[d + 1]!) - (wanted[d]! - wanted[d + 1]!));
  }
  const typical = 1.4826 * median(off);
  const limit = Math.min(mostSuspectPart * range, Math.max(suspectPart * range, suspectDeviations * typical));
  return [...devices.filter((_, n) => off[n >> 1]! > limit)];
};

/** Devices that read further off than a verified write accepts. */
const outsideBand = (tile: Tile, device: DeviceModel, readings: Float32Array): readonly number[] => {
  const wanted = tile.targetsSiemens("weights");
  const { acceptanceSiemens } = verifyOf(device);
  const alphaOf = alphaByDevice(tile);
  const outside = devicesOfOutputs(tile).filter((d) => {
    // What reads nothing and should conduct least, or was never formed, is as it should be.
    if (!(readings[d]! > 0 || wanted[d]! > device.gMinSiemens)) return false;
    return Math.abs(readings[d]! - wanted[d]! / alphaOf(d)) > acceptanceSiemens;
  });
  return [...outside];
};

/** The devices that outputs depend on, output by output, plus and minus of each pair in turn. */
const devicesOfOutputs = (tile: Tile): Uint32Array => {
  const { place, shape } = tile;
  const size = 2 * shape.crossbars * shape.inputs;
  const all = new Uint32Array(place.outputs * size);
  for (let output = 0; output < place.outputs; output++) {
    devicesOf(tile.columnOf(output), shape, all.subarray(output * size, (output + 1) * size));
  }
  return all;
};

const median = (values: Float32Array): number => {
  const sorted = values.slice().sort();
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
};
