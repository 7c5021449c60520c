import { columnIn, devicesOf } from "../../models/crossbar/columns.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";

type Range = Pick<DeviceModel, "gMinSiemens" | "gMaxSiemens">;

/** A device that was just written and reads so much of its range off is stuck. */
export const stuckPart = 0.07;

/** How a device is written anew: readings within so much of the range are accepted. */
export const verifyOf = ({ gMaxSiemens, gMinSiemens }: Range) => ({
  acceptanceSiemens: 0.02 * (gMaxSiemens - gMinSiemens),
  maxPulses: 10,
});

/** α of the output that a device belongs to. */
export const alphaByDevice = (tile: Tile): ((device: number) => number) => {
  const { alpha } = tile;
  const byColumn = new Float64Array(tile.shape.columns).fill(1);
  for (let output = 0; output < alpha.length; output++) byColumn[tile.columnOf(output)] = alpha[output]!;
  return (device) => byColumn[columnIn(tile.shape, device)]!;
};

/** Where α is further from 1, devices written anew would drift away from the others at once. */
export const mostAlpha = 1.2;

/** Mean α of all outputs of some tiles. */
export const meanAlpha = (tiles: readonly Tile[]): number => {
  const alphas = tiles.flatMap(({ alpha }) => [...alpha]);
  return alphas.reduce((sum, alpha) => sum + alpha, 0) / alphas.length;
};

/** Devices that no write moves, by number, and what they conduct, S. */
export type Held = ReadonlyMap<number, number>;

/** A device that was written to the end of its range and reads so much of it off is held: far beyond what reads fluctuate. */
const heldPart = 0.4;

/**
 * Write devices high and low, and read what they make of it: those that do not follow are held, where they read. One that no
 * write moves is far from one end at least, wherever it is.
 */
export const stuckAmong = (
  devices: readonly number[],
  { gMinSiemens, gMaxSiemens }: Range,
  how: {
    write(devices: readonly number[], siemens: number): WriteCount;
    read(turn: number): Float32Array;
  },
): { readonly held: Held; readonly written: WriteCount } => {
  const held = new Map<number, number>();
  let written = noWrites;
  for (const [turn, siemens] of [gMaxSiemens, gMinSiemens].entries()) {
    written = addWrites(written, how.write(devices, siemens));
    const readings = how.read(turn);
    for (const d of devices) {
      const isOff = Math.abs(readings[d]! - siemens) > heldPart * (gMaxSiemens - gMinSiemens);
      if (isOff) held.set(d, readings[d]!);
    }
  }
  return { held, written };
};

/**
 * What the partners of held devices are to be written to, so that their pairs hold their weights all the same:
 *
 *   g⁻ = g⁺ held − (W⁺ − W⁻) / α        g⁺ = g⁻ held + (W⁺ − W⁻) / α
 *
 * Pairs of two held devices are left out. Writes keep to the range of the device.
 */
export const makeUpFor = (
  held: Held,
  wanted: Readonly<Float32Array>,
  alphaOf: (device: number) => number,
): { readonly devices: readonly number[]; readonly siemens: readonly number[] } => {
  const devices = [...held.keys()].map((d) => d ^ 1).filter((d) => !held.has(d));
  const siemens = devices.map((d) => {
    const plus = d & ~1;
    const weight = (wanted[plus]! - wanted[plus + 1]!) / alphaOf(d);
    return held.get(d ^ 1)! + (d === plus ? weight : -weight);
  });
  return { devices, siemens };
};

/**
 * Sum of the squares of what weights of a column cannot be held to, S²: where a partner's range ends before it makes up for
 * a held device, or both are held.
 *
 * @param column  devices of the column, plus and minus of each pair in turn
 * @param weights W⁺ − W⁻ of each pair, over α, S
 */
export const lossIn = (column: Uint32Array, weights: ArrayLike<number>, held: Held, range: Range): number => {
  const within = (siemens: number) => Math.min(range.gMaxSiemens, Math.max(range.gMinSiemens, siemens));
  let sum = 0;
  for (let pair = 0; 2 * pair < column.length; pair++) {
    const plus = held.get(column[2 * pair]!);
    const minus = held.get(column[2 * pair + 1]!);
    if (plus === undefined && minus === undefined) continue;
    const weight = weights[pair]!;
    const best = (plus ?? within(minus! + weight)) - (minus ?? within(plus! - weight));
    sum += (best - weight) ** 2;
  }
  return sum;
};

/**
 * W⁺ − W⁻ of the pairs of an output, over its α, S, in the order of its column's devices.
 * @param wanted what all devices are to hold, S
 */
export const weightsOfOutput = (
  tile: Tile,
  output: number,
  wanted: Readonly<Float32Array> = tile.targetsSiemens("weights"),
): Float64Array => {
  const alpha = tile.alpha[output]!;
  const devices = devicesOf(tile.columnOf(output), tile.shape);
  const weights = new Float64Array(devices.length / 2);
  for (let pair = 0; pair < weights.length; pair++) {
    const plus = devices[2 * pair]!;
    weights[pair] = (wanted[plus]! - wanted[plus + 1]!) / alpha;
  }
  return weights;
};

/**
 * The part of a tile's weights, in squares, that held devices keep from being held, whatever their partners do.
 *
 * @param columnOf the column that each output is to stand in, and `alpha` of each there; by default where they are now
 */
export const lostPart = (
  tile: Tile,
  held: Held,
  range: Range,
  columnOf: (output: number) => number = (output) => tile.columnOf(output),
  alpha: ArrayLike<number> = tile.alpha,
): number => {
  const { shape, place } = tile;
  const wanted = tile.targetsSiemens("weights");
  const there = new Float64Array(shape.crossbars * shape.inputs);
  let lost = 0;
  let all = 0;
  const devices = new Uint32Array(2 * there.length);
  for (let output = 0; output < place.outputs; output++) {
    devicesOf(tile.columnOf(output), shape, devices);
    for (let pair = 0; pair < there.length; pair++) {
      const weight = wanted[devices[2 * pair]!]! - wanted[devices[2 * pair + 1]!]!;
      all += weight ** 2;
      there[pair] = weight / alpha[output]!;
    }
    lost += alpha[output]! ** 2 * lossIn(devicesOf(columnOf(output), shape, devices), there, held, range);
  }
  return all === 0 ? 0 : lost / all;
};
