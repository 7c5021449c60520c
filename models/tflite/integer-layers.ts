import type { Unfolding } from "../network/layers/unfolding.ts";
import { type FixedFactor, timesFactor, within } from "./fixed-point.ts";

/** Codes of an output: `code = zeroPoint + …`, kept within `low … high`, which a fused activation may narrow. */
export interface OutputCodes {
  readonly zeroPoint: number;
  readonly low: number;
  readonly high: number;
}

/** A layer with weights in codes: one factor an output, `scale of x · scale of its weights / scale of y`. */
export interface IntegerWeights {
  /** [outputs × taps × channels taken], zero point 0 */
  readonly weights: Int8Array;
  /** [outputs] in units of `scale of x · scale of the weights` */
  readonly bias: Int32Array;
  readonly factors: readonly FixedFactor[];
  readonly inputZeroPoint: number;
  readonly output: OutputCodes;
}

/**
 * Convolution in codes; what lies outside the image is zero, that is, left out of the sum.
 *
 * @param places position of the input that each tap of each output position sees, −1 outside
 * @param each   channels that an output takes: all of them, or the one of its own (depthwise)
 */
export const integerConv = (
  x: Int8Array,
  y: Int8Array,
  { weights, bias, factors, inputZeroPoint, output }: IntegerWeights,
  places: Int32Array,
  { channels, each }: { readonly channels: number; readonly each: "all" | "own" },
): void => {
  const outputs = bias.length;
  const taps = places.length / (y.length / outputs);
  const taken = each === "all" ? channels : 1;
  const multiplier = outputs / channels;
  for (let row = 0; row < y.length / outputs; row++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o]!;
      const own = each === "all" ? 0 : Math.floor(o / multiplier);
      for (let tap = 0; tap < taps; tap++) {
        const place = places[row * taps + tap]!;
        if (place < 0) continue;
        const from = place * channels + own;
        const at = (o * taps + tap) * taken;
        // `| 0` tells V8 that sums stay int32, as they do in TFLite.
        for (let c = 0; c < taken; c++) sum = (sum + Math.imul(weights[at + c]!, x[from + c]! - inputZeroPoint)) | 0;
      }
      y[row * outputs + o] = within(timesFactor(sum, factors[o]!) + output.zeroPoint, output.low, output.high);
    }
  }
};

/** The mean of each window, rounded half away from zero, over the samples inside the image; the scale stays. */
export const integerAveragePool = (x: Int8Array, y: Int8Array, window: Unfolding, { low, high }: OutputCodes): void => {
  eachWindow(window, (visit, at, c) => {
    let sum = 0;
    let count = 0;
    visit((place) => {
      sum += x[place * window.channels + c]!;
      count++;
    });
    const half = Math.floor(count / 2);
    y[at] = within(Math.trunc((sum > 0 ? sum + half : sum - half) / count), low, high);
  });
};

/** The maximum of each window; the scale stays. */
export const integerMaxPool = (x: Int8Array, y: Int8Array, window: Unfolding, { low, high }: OutputCodes): void => {
  eachWindow(window, (visit, at, c) => {
    let max = -128;
    visit((place) => {
      max = Math.max(max, x[place * window.channels + c]!);
    });
    y[at] = within(max, low, high);
  });
};

const eachWindow = (
  { kernel, stride, padding, height, width, channels, outputHeight, outputWidth }: Unfolding,
  at: (visit: (look: (place: number) => void) => void, index: number, channel: number) => void,
): void => {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const visit = (look: (place: number) => void): void => {
        for (let ky = 0; ky < kernel[0]; ky++) {
          const iy = oy * stride[0] + ky - padding[0];
          if (iy < 0 || iy >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const ix = ox * stride[1] + kx - padding[1];
            if (ix >= 0 && ix < width) look(iy * width + ix);
          }
        }
      };
      for (let c = 0; c < channels; c++) at(visit, (oy * outputWidth + ox) * channels + c, c);
    }
  }
};

/** One operand of a sum: its zero point, and its scale over twice the larger of both. */
export interface Operand {
  readonly zeroPoint: number;
  readonly factor: FixedFactor;
}

/** How far the operands of a sum are shifted to the left, so that their factors lose no bits. */
export const addShift = 20;

/** `a + b` of two scales: both are brought to one of 2⁻²⁰, then to that of the output. */
export const integerAdd = (
  [a, b]: readonly [Int8Array, Int8Array],
  y: Int8Array,
  [ofA, ofB]: readonly [Operand, Operand],
  factor: FixedFactor,
  { zeroPoint, low, high }: OutputCodes,
): void => {
  const unit = 2 ** addShift;
  for (let i = 0; i < y.length; i++) {
    const left = timesFactor((a[i]! - ofA.zeroPoint) * unit, ofA.factor);
    const right = timesFactor((b[i]! - ofB.zeroPoint) * unit, ofB.factor);
    y[i] = within(timesFactor(left + right, factor) + zeroPoint, low, high);
  }
};

/** The mean over all positions, of another scale: `factor` is `scale of x / (scale of y · positions)`. */
export const integerMean = (
  x: Int8Array,
  y: Int8Array,
  inputZeroPoint: number,
  factor: FixedFactor,
  { zeroPoint, low, high }: OutputCodes,
): void => {
  const channels = y.length;
  const positions = x.length / channels;
  for (let c = 0; c < channels; c++) {
    let sum = -inputZeroPoint * positions;
    for (let p = 0; p < positions; p++) sum += x[p * channels + c]!;
    y[c] = within(timesFactor(sum, factor) + zeroPoint, low, high);
  }
};

/** The same reals in codes of another scale. */
export const requantise = (
  x: Int8Array,
  y: Int8Array,
  inputZeroPoint: number,
  factor: FixedFactor,
  { zeroPoint, low, high }: OutputCodes,
): void => {
  for (let i = 0; i < y.length; i++) y[i] = within(timesFactor(x[i]! - inputZeroPoint, factor) + zeroPoint, low, high);
};

/** Softmax over the last axis, of `channels` codes of width `scale`: exponentials in doubles, as TFLite's table has them in floats. */
export const integerSoftmax = (
  x: Int8Array,
  y: Int8Array,
  channels: number,
  scale: number,
  outputScale: number,
  { zeroPoint, low, high }: OutputCodes,
): void => {
  for (let from = 0; from < y.length; from += channels) {
    let max = -128;
    for (let c = 0; c < channels; c++) max = Math.max(max, x[from + c]!);
    let total = 0;
    for (let c = 0; c < channels; c++) total += Math.exp(scale * (x[from + c]! - max));
    for (let c = 0; c < channels; c++) {
      const probability = Math.exp(scale * (x[from + c]! - max)) / total;
      y[from + c] = within(Math.round(probability / outputScale) + zeroPoint, low, high);
    }
  }
};

/** A function of one code by a table of all 256: `[f(−128) … f(127)]`. */
export const integerTable = (x: Int8Array, y: Int8Array, table: Int8Array): void => {
  for (let i = 0; i < y.length; i++) y[i] = table[x[i]! + 128]!;
};
