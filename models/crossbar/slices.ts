import { expectInteger } from "./mapping.ts";

/** Weights cut into digits, each on devices of its own: more bits than one device holds. */
export interface WeightSlices {
  /** Of a weight, sign among them, 2 … 16: weights are rounded to them. */
  readonly bits: number;
  /** How many digits, 1 … bits − 1. */
  readonly count: number;
}

/** What one tile holds of a piece of a weight matrix [outputs × inputs]. */
export interface WeightPiece {
  readonly weights: Float32Array;
  /** The weight that a device of g_max stands for, by output. */
  readonly fullScale: Float64Array;
  /** How much of the piece's largest sums falls to this part, for the range of its ADC. */
  readonly rangeShare: number;
}

/** @throws RangeError with the parameter, its limits and its value */
export const checkSlices = ({ bits, count }: WeightSlices): void => {
  expectInteger("weightSlices.bits", bits, 2, 16);
  expectInteger("weightSlices.count", count, 1, bits - 1);
};

/**
 * The parts of a piece that tiles hold: itself, or with `slices` its digits, the least first, as parts of W:
 *
 *   W ≈ Σ_k W_k      W_k = ± u 2^(s k) · digit k of rint(|W| / u)      u = full scale / (2^(bits − 1) − 1)
 *
 * of s = ⌈(bits − 1) / count⌉ bits a digit. Digital sums of all parts give the product (CrossSim's balanced slices).
 *
 * @param scaleByColumn each output uses the whole range of its devices, instead of the output with the largest weight
 */
export const weightPieces = (
  weights: Float32Array,
  outputs: number,
  scaleByColumn: boolean,
  slices?: WeightSlices,
): readonly WeightPiece[] => {
  const inputs = weights.length / outputs;
  const largestIn = (from: number, to: number): number => {
    let largest = 0;
    for (let p = from; p < to; p++) largest = Math.max(largest, Math.abs(weights[p]!));
    return largest || 1;
  };
  const ofAll = largestIn(0, weights.length);
  const fullScale = Float64Array.from({ length: outputs }, (_, o) =>
    scaleByColumn ? largestIn(o * inputs, (o + 1) * inputs) : ofAll,
  );
  if (!slices) return [{ weights, fullScale, rangeShare: 1 }];
  const codeMax = 2 ** (slices.bits - 1) - 1;
  const digitBits = Math.ceil((slices.bits - 1) / slices.count);
  return Array.from({ length: slices.count }, (_, k): WeightPiece => {
    const place = 2 ** (digitBits * k);
    const largestDigit = Math.floor(codeMax / place) % 2 ** digitBits;
    const part = weights.map((w, p) => {
      const unit = fullScale[Math.floor(p / inputs)]! / codeMax;
      const digit = Math.floor(Math.round(Math.abs(w) / unit) / place) % 2 ** digitBits;
      return Math.sign(w) * digit * place * unit;
    });
    return {
      weights: part,
      fullScale: fullScale.map((full) => (full / codeMax) * place * (largestDigit || 1)),
      rangeShare: shareOf(part, weights, outputs),
    };
  });
};

/** Sums of digits do not follow those of weights: their ADCs get half as much room again. */
const headroom = 1.5;

/** The largest sum and the largest root of a sum of squares of a part's outputs, by those of the whole. */
const shareOf = (part: Float32Array, whole: Float32Array, outputs: number): number => {
  const norms = (values: Float32Array): readonly [sum: number, root: number] => {
    const inputs = values.length / outputs;
    let [most, root] = [0, 0];
    for (let o = 0; o < outputs; o++) {
      const row = values.subarray(o * inputs, (o + 1) * inputs);
      most = Math.max(
        most,
        row.reduce((sum, w) => sum + Math.abs(w), 0),
      );
      root = Math.max(root, Math.sqrt(row.reduce((sum, w) => sum + w * w, 0)));
    }
    return [most, root];
  };
  const [some, all] = [norms(part), norms(whole)];
  return headroom * Math.max(some[0] / (all[0] || 1), some[1] / (all[1] || 1)) || 1;
};
