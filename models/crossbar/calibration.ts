import { largestSum, largestWeight } from "./columns.ts";
import type { TilePlace } from "./mapping.ts";
import { readEvent } from "./read-keys.ts";

/** How a tile makes up for drift: not at all, by one factor, or by a factor for each output. */
export type CalibrationMode = "none" | "global" | "per-column";

/**
 * Write the drift compensation of each output to `alpha` (Joshi et al. 2020; read by one-hot inputs as in aihwkit):
 *
 *   α = R(0) / R(t)      R = mean |response|, over all outputs, or of each output by itself
 *
 * where `programmed` and `present` hold the mean |response| of each output. Both R are at least `floor`, so that
 * a tile of zeros keeps α = 1.
 */
export const driftCompensation = (
  mode: "global" | "per-column",
  programmed: Float64Array,
  present: Float64Array,
  floor: number,
  alpha: Float64Array,
): void => {
  const ratio = (before: number, now: number) => Math.max(before, floor) / Math.max(now, floor);
  if (mode === "global") alpha.fill(ratio(mean(programmed), mean(present)));
  else for (let o = 0; o < alpha.length; o++) alpha[o] = ratio(programmed[o]!, present[o]!);
};

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Full scale of the ADC in units of W·x, and of its finer range for calibration reads. */
export type AdcRanges = readonly [outputMax: number, calibrationMax: number];

/**
 * The ranges of a tile that has drifted: its sums are smaller by α than when it was programmed, so that it would use few of
 * the codes. They are wider than that by what the stream exceeds them, with room for what weights are off by, and not
 * narrower, as few inputs do not show the largest sum of all:
 *
 *   outputMax      = max(1, min(2, 1.25 · largest / programmed)) · programmed / min α
 *   calibrationMax = programmed / min α                            min α at least 1
 *
 * @param largest in units of W·x; undefined: as when programmed
 */
export const rangesFor = (programmed: AdcRanges, largest: number | undefined, alpha: Float64Array): AdcRanges => {
  const [outputMax, calibrationMax] = programmed;
  const share = largest === undefined ? 1 : Math.max(1, Math.min(2, (1.25 * largest) / outputMax));
  const drift = alpha.reduce((least, a) => Math.min(least, a), Number.POSITIVE_INFINITY);
  return [(share * outputMax) / Math.max(1, drift), calibrationMax / Math.max(1, drift)];
};

/** Digital offsets of outputs that are not zero: added to rows of y, `stride` apart, from `from` on. */
export const addOffsets = (
  y: Float32Array,
  from: number,
  stride: number,
  rows: number,
  offsets: Float32Array,
): void => {
  for (let row = 0; row < rows; row++) {
    const at = from + row * stride;
    for (let o = 0; o < offsets.length; o++) y[at + o] = y[at + o]! + offsets[o]!;
  }
};

/** @throws RangeError unless all are finite, one an output */
export const checkOffsets = (offsets: ArrayLike<number>, outputs: number): void => {
  if (offsets.length !== outputs || !Array.from(offsets).every(Number.isFinite)) {
    throw new RangeError(`offsets: expected ${outputs} finite numbers, got ${offsets}`);
  }
};

/** Set factors of outputs to their own, or all to one. @throws RangeError unless all are finite and ≥ 0 */
export const setFactors = (factors: Float64Array, to: number | ArrayLike<number>): void => {
  const values = typeof to === "number" ? new Float64Array(factors.length).fill(to) : Float64Array.from(to);
  if (values.length !== factors.length || !values.every((value) => value >= 0 && value < Infinity)) {
    throw new RangeError(`alpha: expected ${factors.length} finite numbers ≥ 0, got ${values}`);
  }
  factors.set(values);
};

/**
 * Full scales of an ADC of a tile that was just programmed: for products, as asked or the largest sum; and for calibration
 * reads, since one device conducts far less than a whole output. @param dacMax full scale of the DACs
 */
export const firstRanges = (
  siemens: Float32Array,
  weightsPerSiemens: Float64Array,
  dacMax: number,
  outputMax: number | undefined,
): AdcRanges => [
  outputMax ?? (largestSum(siemens, weightsPerSiemens) || 1) * dacMax,
  1.25 * (largestWeight(siemens, weightsPerSiemens) || 1) * dacMax,
];

/** A circuit, as far as reads of one input after the other need it. */
interface OneHot {
  readOneHot(moment: number, event: number, look: (input: number, y: Float32Array) => void): void;
}

/** Mean |y| of each output over one-hot inputs at full scale, through DAC, read noise and ADC; α is left out. */
export const responseOf = (circuit: OneHot, { outputs, inputs }: TilePlace, moment: number): Float64Array => {
  const sums = new Float64Array(outputs);
  circuit.readOneHot(moment, readEvent.calibration, (_, y) => {
    for (let o = 0; o < outputs; o++) sums[o]! += Math.abs(y[o]!) / inputs;
  });
  return sums;
};

/** Every weight by the same reads, in units of W. [outputs × inputs] @param dacMax full scale of the DACs */
export const weightsRead = (
  circuit: OneHot,
  { outputs, inputs }: TilePlace,
  dacMax: number,
  moment: number,
): Float32Array => {
  const weights = new Float32Array(outputs * inputs);
  circuit.readOneHot(moment, readEvent.weights, (i, y) => {
    for (let o = 0; o < outputs; o++) weights[o * inputs + i] = y[o]! / dacMax;
  });
  return weights;
};
