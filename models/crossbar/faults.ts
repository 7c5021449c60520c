import { CounterRandom } from "../random.ts";
import type { CellsShape } from "./mapping.ts";

/** How often devices and lines of a tile are faulty, each 0 … 1. */
export interface FaultRates {
  /** Of all devices: stuck at the lowest conductance. */
  readonly stuckLow?: number;
  /** Of all devices: stuck at the highest. */
  readonly stuckHigh?: number;
  /** Of the word lines: the driver does not reach the devices of an input. */
  readonly openWordLines?: number;
  /** Of the bit lines, two an output: the devices of one sign do not reach the converter. */
  readonly openBitLines?: number;
}

/**
 * The faults of one tile. Devices are numbered as in `TileCells`, plus at 2p and minus at 2p + 1 of pair
 * p = (crossbar · columns + column) · inputs + input; bit lines likewise, 2c and 2c + 1 of c = crossbar · columns + column;
 * word lines crossbar · inputs + input. In a plain tile columns are its outputs, and there is one crossbar.
 */
export interface FaultMap {
  readonly stuckLow: readonly number[];
  readonly stuckHigh: readonly number[];
  readonly openWordLines: readonly number[];
  readonly openBitLines: readonly number[];
}

/** Event of the random numbers that faults are drawn from; writes count from zero. */
const faultEvent = 0xffff_0000;

/**
 * Draw the faults of a tile. Device d has number d, input i number 2³⁰ + i, bit line b number 2³¹ + b of the stream
 * (seed, array, tile), so that the faults of a lower rate are among those of a higher one.
 *
 * @throws RangeError unless rates are 0 … 1 and stuck devices together at most 1
 */
export const drawFaults = (
  rates: FaultRates,
  shape: CellsShape,
  tile: { readonly seed: number; readonly arrayId: number; readonly index: number },
): FaultMap => {
  const { stuckLow = 0, stuckHigh = 0, openWordLines = 0, openBitLines = 0 } = rates;
  for (const [name, rate] of Object.entries({ stuckLow, stuckHigh, openWordLines, openBitLines })) {
    if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name}: expected a rate in 0 … 1, got ${rate}`);
  }
  if (stuckLow + stuckHigh > 1) {
    throw new RangeError(`stuckLow + stuckHigh: expected at most 1, got ${stuckLow + stuckHigh}`);
  }
  const random = new CounterRandom(tile.seed, [tile.arrayId, tile.index, faultEvent]);
  const which = (count: number, from: number, isFaulty: (u: number) => boolean): number[] =>
    Array.from({ length: count }, (_, i) => i).filter((i) => isFaulty(random.uniformAt(from + i)));
  const { devices, wordLines, bitLines } = countsOf(shape);
  return {
    stuckLow: stuckLow === 0 ? [] : which(devices, 0, (u) => u < stuckLow),
    stuckHigh: stuckHigh === 0 ? [] : which(devices, 0, (u) => u >= 1 - stuckHigh),
    openWordLines: openWordLines === 0 ? [] : which(wordLines, 2 ** 30, (u) => u < openWordLines),
    openBitLines: openBitLines === 0 ? [] : which(bitLines, 2 ** 31, (u) => u < openBitLines),
  };
};

const countsOf = ({ columns, inputs, crossbars }: CellsShape) => ({
  devices: 2 * crossbars * columns * inputs,
  wordLines: crossbars * inputs,
  bitLines: 2 * crossbars * columns,
});

/** @throws RangeError where a number of a map is none of the tile's devices or lines */
export const checkFaults = (map: FaultMap, shape: CellsShape): void => {
  const { devices, wordLines, bitLines } = countsOf(shape);
  const counts = { stuckLow: devices, stuckHigh: devices, openWordLines: wordLines, openBitLines: bitLines };
  for (const [name, count] of Object.entries(counts) as [keyof FaultMap, number][]) {
    const wrong = map[name].find((i) => !(Number.isInteger(i) && i >= 0 && i < count));
    if (wrong !== undefined) throw new RangeError(`${name}: expected integers in 0 … ${count - 1}, got ${wrong}`);
  }
};

/**
 * Put the faults into conductances or, with `low` and `high` 0, into variances of reads: stuck devices do not fluctuate.
 *
 * @param values of each device of the tile, in place
 */
export const applyFaults = (
  values: Float32Array,
  map: FaultMap,
  { columns, inputs }: CellsShape,
  low: number,
  high: number,
): void => {
  for (const d of map.stuckLow) values[d] = low;
  for (const d of map.stuckHigh) values[d] = high;
  for (const line of map.openWordLines) {
    const first = Math.floor(line / inputs) * columns * inputs + (line % inputs);
    for (let c = 0; c < columns; c++) values.fill(0, 2 * (first + c * inputs), 2 * (first + c * inputs) + 2);
  }
  for (const line of map.openBitLines) {
    const [column, sign] = [line >> 1, line & 1];
    for (let p = column * inputs; p < (column + 1) * inputs; p++) values[2 * p + sign] = 0;
  }
};
