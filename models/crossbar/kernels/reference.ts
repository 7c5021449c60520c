import { roundHalfToEven } from "../../quantisation.ts";
import { type MvmKernel, type PackedTile, packedIndex } from "./kernel.ts";
import { readNoise16 } from "./read-noise.ts";

const f = Math.fround;

/** The oracle of the SIMD kernel: one output after the other. Takes arrays from anywhere. */
export const referenceKernel: MvmKernel = {
  name: "reference",
  quantise(x, from, stride, inputs, batch, dac, { codes, squares, squareShift }) {
    const padded = (inputs + 1) & ~1;
    const rounding = squareShift > 0 ? 1 << (squareShift - 1) : 0;
    const [levelsPerUnit = 0, codeMax = 0] = dac;
    let clipped = 0;
    for (let row = 0; row < batch; row++) {
      for (let i = 0; i < padded; i++) {
        const level = i < inputs ? rint(f(x[from + row * stride + i]! * levelsPerUnit)) : 0;
        if (Math.abs(level) > codeMax) clipped++;
        const code = Number.isNaN(level) ? 0 : clamp(level, codeMax);
        codes[row * padded + i] = code;
        if (squares) squares[row * padded + i] = (code * code + rounding) >> squareShift;
      }
    }
    return clipped;
  },
  multiply(tile, { codes, squares }, y, from, stride, batch, accumulate, keys) {
    const { inputs, weights, variances } = tile;
    const padded = (inputs + 1) & ~1;
    return convert(tile, y, from, stride, batch, accumulate, keys, (row, o) => ({
      current: dot(weights, codes, o, inputs, (i) => row * padded + i),
      variance: variances && squares && dot(variances, squares, o, inputs, (i) => row * padded + i),
    }));
  },
  depthwise(tile, { codes, squares }, windows, y, batch, keys) {
    const { outputs, inputs, weights, variances } = tile;
    const padded = (inputs + 1) & ~1;
    return convert(tile, y, 0, outputs, batch, 0, keys, (row, o) => ({
      current: dot(weights, codes, o, inputs, (i) => windows[row * padded + i]! + o),
      variance: variances && squares && dot(variances, squares, o, inputs, (i) => windows[row * padded + i]! + o),
    }));
  },
};

/** Read noise, ADC and scale of the sums of products that `sumsOf` gives. Gives how many were clipped. */
const convert = (
  { outputs, scales, adcMax }: PackedTile,
  y: Float32Array,
  from: number,
  stride: number,
  batch: number,
  accumulate: 0 | 1,
  keys: Int32Array,
  sumsOf: (row: number, o: number) => { readonly current: number; readonly variance: number | undefined },
): number => {
  const panels = Math.ceil(outputs / 16);
  const noise = new Int16Array(16);
  let clipped = 0;
  for (let row = 0; row < batch; row++) {
    for (let o = 0; o < outputs; o++) {
      const sums = sumsOf(row, o);
      let current = f(sums.current) * scales[o]!;
      if (sums.variance !== undefined) {
        if (o % 16 === 0) readNoise16(noise, 0, row * panels + (o >> 4), keys[0]!, keys[1]!);
        const deviation = f(f(Math.sqrt(f(sums.variance))) * scales[panels * 16 + o]!);
        current = f(current) + f(deviation * noise[o % 16]!);
      }
      const level = rint(f(current));
      if (Math.abs(level) > adcMax) clipped++;
      const value = f(clamp(level, adcMax) * scales[2 * panels * 16 + o]!);
      const at = from + row * stride + o;
      y[at] = accumulate ? y[at]! + value : value;
    }
  }
  return clipped;
};

/** Half to even, and −0.3 to −0 as WebAssembly does. */
const rint = (x: number): number => (x < 0 ? -roundHalfToEven(-x) : roundHalfToEven(x));

const clamp = (value: number, max: number): number => Math.max(-max, Math.min(max, value));

const dot = (
  packed: Int16Array | Uint8Array,
  codes: Int16Array,
  o: number,
  inputs: number,
  placeOf: (i: number) => number,
): number => {
  let sum = 0;
  for (let i = 0; i < inputs; i++) sum += packed[packedIndex(o, i, inputs)]! * codes[placeOf(i)]!;
  return sum;
};
