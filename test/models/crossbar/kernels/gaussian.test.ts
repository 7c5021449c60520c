import { describe, expect, it } from "vitest";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import { gaussians16 } from "../../../../models/crossbar/kernels/gaussian.ts";
import { loopsSimd } from "../../../../models/crossbar/kernels/loops-simd.ts";
import { readNoise16, readNoiseSigma } from "../../../../models/crossbar/kernels/read-noise.ts";
import { simdKernel } from "../../../../models/crossbar/kernels/simd.ts";

const n = 1 << 20;

/** Both generators: of the read noise, and of the noise in training. */
const generators: readonly { readonly name: string; readonly draw: Draw; readonly plain: Draw }[] = [
  {
    name: "of the read noise",
    draw: (count, key0, key1) => {
      const arena = new Arena(2 * count + 4096);
      const simd = simdKernel(arena);
      const out = arena.int16(count);
      simd.fillReadNoise(out, key0, key1);
      return Float32Array.from(out, (x) => x / readNoiseSigma);
    },
    plain: (count, key0, key1) => {
      const out = new Int16Array(count);
      for (let i = 0; i < count; i += 16) readNoise16(out, i, i / 16, key0, key1);
      return Float32Array.from(out, (x) => x / readNoiseSigma);
    },
  },
  {
    name: "of training",
    draw: (count, key0, key1) => {
      const arena = new Arena(4 * count + 4096);
      const out = arena.float32(count);
      loopsSimd(arena).fillGaussian(out.byteOffset, count, key0, key1);
      return out.slice();
    },
    plain: (count, key0, key1) => {
      const out = new Float32Array(count);
      for (let i = 0; i < count; i += 16) gaussians16(out, i, i / 16, key0, key1);
      return out;
    },
  },
];

type Draw = (count: number, key0: number, key1: number) => Float32Array;

describe.each(generators)("the Gaussian numbers $name", ({ draw, plain }) => {
  const first = draw(n, 1, 2);
  it("are those of the plain TypeScript, bit for bit", () => {
    expect(first.subarray(0, 65536)).toEqual(plain(65536, 1, 2));
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
  it("have the sixth moment of N(0, 1), and none beyond 6 σ", () => {
    // var(x⁶) = 10395 − 225.
    const sixth = first.reduce((sum, x) => sum + x ** 6, 0) / n;
    expect(Math.abs(sixth - 15)).toBeLessThan(5 * Math.sqrt(10170 / n));
    expect(first.every((x) => Math.abs(x) < 6)).toBe(true);
  });
  it("do not depend on neighbours, nor on the numbers of another key, nor do their squares", () => {
    const bound = 5 / Math.sqrt(n); // five standard errors of a correlation
    for (const lag of [1, 2, 3, 4, 5, 8, 16, 17, 64]) {
      expect(Math.abs(correlation(first, first, lag, (x) => x))).toBeLessThan(bound);
      expect(Math.abs(correlation(first, first, lag, square))).toBeLessThan(bound);
    }
    for (const other of [draw(n, 2, 2), draw(n, 1, 3), draw(n, 0x9e3779b9 | 0, 2), draw(n, 1, 2 ^ 0x80000000)]) {
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
