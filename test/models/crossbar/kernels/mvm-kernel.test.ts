import { describe, expect, it } from "vitest";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import { gaussians16 } from "../../../../models/crossbar/kernels/gaussian.ts";
import {
  type InputCodes,
  type PackedTile,
  packedIndex,
  packedLength,
} from "../../../../models/crossbar/kernels/kernel.ts";
import { referenceKernel } from "../../../../models/crossbar/kernels/reference.ts";
import { simdKernel } from "../../../../models/crossbar/kernels/simd.ts";
import { SequentialRandom } from "../../../../models/random.ts";

const shapes = [
  { outputs: 1, inputs: 1, batch: 1 },
  { outputs: 3, inputs: 7, batch: 2 },
  { outputs: 16, inputs: 16, batch: 3 },
  { outputs: 17, inputs: 33, batch: 5 },
  { outputs: 31, inputs: 9, batch: 4 },
  { outputs: 64, inputs: 40, batch: 7 },
  { outputs: 255, inputs: 253, batch: 2 },
  { outputs: 256, inputs: 256, batch: 1 },
  { outputs: 20, inputs: 12, batch: 33 }, // more rows than Gaussian numbers are made for at once
];

const seeded = (shape: (typeof shapes)[number], noisy: boolean, squareShift: number) => {
  const arena = new Arena(4_000_000);
  const random = new SequentialRandom(shape.outputs * 1000 + shape.inputs);
  const { outputs, inputs, batch } = shape;
  const padded = (inputs + 1) & ~1;
  const panels = Math.ceil(outputs / 16);
  const tile: PackedTile = {
    outputs,
    inputs,
    weights: arena.int16(packedLength(outputs, inputs)),
    variances: noisy ? arena.uint8(packedLength(outputs, inputs)) : undefined,
    scales: arena.float32(3 * panels * 16),
    adcMax: 127,
  };
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      tile.weights[packedIndex(o, i, inputs)] = random.integer(65535) - 32767;
      if (tile.variances) tile.variances[packedIndex(o, i, inputs)] = random.integer(256);
    }
    // About a third of full scale is one standard deviation, so that a few outputs clip.
    tile.scales[o] = (0.5 + random.uniform()) * (50 / (Math.sqrt(inputs) * 73 * 18918));
    tile.scales[panels * 16 + o] = (3 * (0.5 + random.uniform())) / Math.sqrt(inputs * 5400 * 128);
    tile.scales[2 * panels * 16 + o] = 0.01 + random.uniform();
  }
  const x = arena.float32(batch * inputs);
  for (let i = 0; i < x.length; i++) x[i] = 0.5 * random.gaussian();
  x[0] = Number.NaN;
  const codes = (): InputCodes => ({
    codes: arena.int16(batch * padded),
    squares: noisy ? arena.int16(batch * padded) : undefined,
    squareShift,
  });
  return { arena, tile, x, codes, y: () => arena.float32(batch * outputs + 3) };
};

describe("the simd kernel equals the reference to the last bit", () => {
  for (const noisy of [false, true]) {
    for (const shape of shapes) {
      const { outputs, inputs, batch } = shape;
      it(`for ${batch} × ${inputs} by ${outputs} outputs ${noisy ? "with" : "without"} read noise`, () => {
        const { arena, tile, x, codes, y } = seeded(shape, noisy, 0);
        const simd = simdKernel(arena);
        const [a, b] = [codes(), codes()];
        const eightBits = arena.float32(2);
        eightBits.set([127, 127]);
        const clippedA = referenceKernel.quantise(x, 0, inputs, inputs, batch, eightBits, a);
        expect(simd.quantise(x, 0, inputs, inputs, batch, eightBits, b)).toBe(clippedA);
        expect(b).toEqual(a);
        const keys = arena.int32(2);
        keys.set([123456789, -987654321]);
        const [ya, yb] = [y(), y()];
        for (const accumulate of [0, 1] as const) {
          const outA = referenceKernel.multiply(tile, a, ya, 1, outputs, batch, accumulate, keys);
          expect(simd.multiply(tile, b, yb, 1, outputs, batch, accumulate, keys)).toBe(outA);
          expect(yb).toEqual(ya);
        }
        expect(ya[0]).toBe(0); // not written: outputs begin at 1
        expect(ya[1 + batch * outputs]).toBe(0);
      });
    }
  }
  for (const { channels, taps, rows } of [
    { channels: 28, taps: 9, rows: 37 },
    { channels: 16, taps: 4, rows: 16 },
    { channels: 3, taps: 1, rows: 2 },
    { channels: 33, taps: 25, rows: 1 },
  ]) {
    it(`for ${channels} columns of ${taps} devices with inputs of their own, at ${rows} positions`, () => {
      const { arena, tile } = seeded({ outputs: channels, inputs: taps, batch: 1 }, true, 0);
      const random = new SequentialRandom(taps);
      const positions = 20;
      const length = positions * channels + 16;
      const input = { codes: arena.int16(length), squares: arena.int16(length), squareShift: 0 };
      for (let i = 0; i < length; i++) {
        input.codes[i] = random.integer(255) - 127;
        input.squares[i] = input.codes[i]! ** 2;
      }
      const windows = arena.int32(rows * (taps + (taps & 1)));
      for (let i = 0; i < windows.length; i++) windows[i] = channels * random.integer(positions);
      const keys = arena.int32(2);
      const [a, b] = [arena.float32(rows * channels + 1), arena.float32(rows * channels + 1)];
      const clipped = referenceKernel.depthwise(tile, input, windows, a, rows, keys);
      expect(simdKernel(arena).depthwise(tile, input, windows, b, rows, keys)).toBe(clipped);
      expect(b).toEqual(a);
      expect(b.slice(0, -1).some((value) => value !== 0)).toBe(true);
      expect(b.at(-1)).toBe(0);
    });
  }
  it("for codes of 12 bits, whose squares are shifted", () => {
    const { arena, x, codes } = seeded(shapes[4]!, true, 7);
    const twelveBits = arena.float32(2);
    twelveBits.set([1000, 2047]);
    const [a, b] = [codes(), codes()];
    expect(simdKernel(arena).quantise(x, 0, 9, 9, 4, twelveBits, b)).toBe(
      referenceKernel.quantise(x, 0, 9, 9, 4, twelveBits, a),
    );
    expect(b).toEqual(a);
  });
});

describe("the Gaussian numbers of the read noise", () => {
  const n = 1 << 20;
  const arena = new Arena(2 * 4 * n + 4096);
  const simd = simdKernel(arena);
  const draw = (key0: number, key1: number) => {
    const out = new Float32Array(arena.float32(n));
    arena.release(mark);
    const view = arena.float32(n);
    simd.fillGaussian(view, key0, key1);
    out.set(view);
    arena.release(mark);
    return out;
  };
  const mark = arena.mark();
  const first = draw(1, 2);

  it("are those of the plain TypeScript, bit for bit", () => {
    const plain = new Float32Array(65536);
    for (let i = 0; i < plain.length; i += 16) gaussians16(plain, i, i / 16, 1, 2);
    expect(first.subarray(0, plain.length)).toEqual(plain);
  });
  it("have the first four moments of N(0, 1)", () => {
    const moment = (k: number) => first.reduce((sum, x) => sum + x ** k, 0) / n;
    // Five standard errors: var(x) = 1, var(x²) = 2, var(x³) = 15, var(x⁴) = 96.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  });
  it("pass the test of Kolmogorov and Smirnov at one in ten thousand, for each of the sixteen places", () => {
    for (const sample of [first, ...Array.from({ length: 16 }, (_, lane) => first.filter((_, i) => i % 16 === lane))]) {
      // √n D < 2.23: probability of more is 2 exp(−2 · 2.23²) = 1e-4.
      expect(Math.sqrt(sample.length) * distanceToNormal(sample)).toBeLessThan(2.23);
    }
  });
  it("have the tails of N(0, 1) beyond 3 and 4 σ", () => {
    // Two-sided tails 2.6998e-3 and 6.334e-5 (Abramowitz and Stegun, table 26.1); five deviations of the count.
    for (const [limit, tail] of [
      [3, 2.6998e-3],
      [4, 6.334e-5],
    ] as const) {
      const count = first.reduce((sum, x) => sum + (Math.abs(x) > limit ? 1 : 0), 0);
      expect(Math.abs(count - n * tail)).toBeLessThan(5 * Math.sqrt(n * tail));
    }
  });
  it("do not depend on neighbours, nor on the numbers of another key, nor do their squares", () => {
    const bound = 5 / Math.sqrt(n); // five standard errors of a correlation
    for (const lag of [1, 2, 3, 4, 5, 8, 16, 17, 64]) {
      expect(Math.abs(correlation(first, first, lag, (x) => x))).toBeLessThan(bound);
      expect(Math.abs(correlation(first, first, lag, square))).toBeLessThan(bound);
    }
    for (const other of [draw(2, 2), draw(1, 3), draw(0x9e3779b9 | 0, 2), draw(1, 2 ^ 0x80000000)]) {
      expect(Math.abs(correlation(first, other, 0, (x) => x))).toBeLessThan(bound);
      expect(Math.abs(correlation(first, other, 0, square))).toBeLessThan(bound);
    }
  });
});

/** Standardised square: mean 0, variance 1. */
const square = (x: number): number => (x * x - 1) / Math.SQRT2;

const correlation = (a: Float32Array, b: Float32Array, lag: number, of: (x: number) => number): number => {
  let sum = 0;
  for (let i = lag; i < a.length; i++) sum += of(a[i]!) * of(b[i - lag]!);
  return sum / a.length;
};

/** Largest distance between the empirical distribution and Φ. */
const distanceToNormal = (sample: Float32Array): number => {
  const sorted = sample.slice().sort();
  return sorted.reduce((largest, x, i) => {
    const p = normalBelow(x);
    return Math.max(largest, p - i / sorted.length, (i + 1) / sorted.length - p);
  }, 0);
};

/** Φ, by the rational approximation of erfc of Press et al., "Numerical Recipes", within 1.2e-7. */
const normalBelow = (x: number): number => {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const series = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ].reduce((sum, c) => sum * t + c);
  const erfc = t * Math.exp(-z * z + series);
  return x < 0 ? erfc / 2 : 1 - erfc / 2;
};
