import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec, Hardware } from "../../../models/crossbar/array-spec.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { SequentialRandom } from "../../../models/random.ts";

const random = new SequentialRandom(3);
const weightsOf = (outputs: number, inputs: number): Float32Array =>
  Float32Array.from({ length: outputs * inputs }, () => random.gaussian() / 3);

const base: ArraySpec = {
  device: pcmNandakumar2019,
  ...{ dacBits: 12, adcBits: 16, tileInputs: 256, tileOutputs: 256, inputMax: 1, seed: 1, arrayId: 0, maxBatch: 1 },
  kernel: "simd",
};

const make = (weights: Float32Array, outputs: number, spec: Partial<ArraySpec>) => {
  const arena = new Arena(4_000_000);
  const inputs = weights.length / outputs;
  const array = new CrossbarArray(weights, outputs, inputs, { ...base, ...spec }, arena);
  const [x, y] = [arena.float32(inputs), arena.float32(outputs)];
  for (let i = 0; i < inputs; i++) x[i] = Math.sin(3 * i + 1);
  const run = (inference = 0) => {
    array.mvm(x, y, 1, inference);
    return y.slice();
  };
  const exact = Float64Array.from({ length: outputs }, (_, o) =>
    weights.subarray(o * inputs, (o + 1) * inputs).reduce((sum, w, i) => sum + w * x[i]!, 0),
  );
  return { array, run, exact };
};

const meanSquare = (y: Float32Array, exact: Float64Array): number =>
  y.reduce((sum, value, o) => sum + (value - exact[o]!) ** 2, 0) / y.length;

describe("N pairs a weight", () => {
  it("have an Nth of the variance of writing, within five standard errors", () => {
    const [outputs, inputs, seeds] = [32, 48, 20];
    const weights = weightsOf(outputs, inputs);
    const varianceOf = (pairs: number): number => {
      let sum = 0;
      for (let seed = 1; seed <= seeds; seed++) {
        const device = { ...pcmNandakumar2019, hasReadNoise: false };
        const { run, exact } = make(weights, outputs, { device, pairs, seed });
        sum += meanSquare(run(), exact) / seeds;
      }
      return sum;
    };
    const one = varianceOf(1);
    // A mean square of 640 outputs has a relative standard error of √(2 / 640) = 5.6 %, a ratio of two 7.9 %.
    for (const pairs of [2, 4]) expect(Math.abs((pairs * varianceOf(pairs)) / one - 1)).toBeLessThan(0.4);
  });
  it("have an Nth of the variance of reading", () => {
    const weights = weightsOf(4, 200);
    const of = (pairs: number): number => {
      const variances = make(weights, 4, { pairs }).array.tiles[0]!.readVariancesAt(3600);
      return variances.reduce((sum, v) => sum + v, 0);
    };
    expect((3 * of(3)) / of(1)).toBeCloseTo(1, 1); // programmed conductances differ a little
  });
  it("lose half of an output where the bit lines of one of two crossbars are open, and nothing where spares are", () => {
    const weights = Float32Array.from({ length: 15 }, () => 1);
    const none = { stuckLow: [], stuckHigh: [], openWordLines: [], openBitLines: [] };
    const [whole, half, spare] = [[], [8], [6, 7, 14, 15]].map((openBitLines) => {
      const spec = { device: ideal, pairs: 2, spareColumns: 1, faults: [{ ...none, openBitLines }] };
      return make(weights, 3, { ...spec, tileOutputMax: [5] }).run();
    });
    // Columns 0 … 2 hold the outputs, 3 is spare; the second crossbar's lines begin at 8.
    expect(half![0]! / whole![0]!).toBeCloseTo(0.5, 3);
    expect(half!.slice(1)).toEqual(whole!.slice(1));
    expect(spare).toEqual(whole);
    const lines = { ...none, openWordLines: [5, 6, 7, 8, 9] };
    const dark = make(weights, 3, { device: ideal, pairs: 2, faults: [lines], tileOutputMax: [5] }).run();
    dark.forEach((y, o) => void expect(y / whole![o]!).toBeCloseTo(0.5, 3));
  });
  it("are written in turn after the first, which is the same chip as without them", () => {
    const weights = weightsOf(6, 7);
    const [one, two] = [1, 2].map((pairs) => make(weights, 6, { pairs }).array.tiles[0]!.state().cells.g0Siemens);
    expect(two!.slice(0, 84)).toEqual(one);
    expect(two!.slice(84)).not.toEqual(one);
  });
});

describe("Every way to hold weights", () => {
  const ways: Record<string, Hardware> = {
    "three pairs": { pairs: 3 },
    "two-sided": { pairing: "two-sided" },
    "a scale a column": { scaleByColumn: true },
    "four digits": { weightSlices: { bits: 13, count: 4 } },
    "all at once": {
      ...{ pairs: 2, pairing: "two-sided", scaleByColumn: true, spareColumns: 1 },
      weightSlices: { bits: 13, count: 3 },
    },
  };
  it.each(Object.entries(ways))("multiplies by W with ideal devices, on one tile and on many: %s", (_, hardware) => {
    const weights = weightsOf(50, 70);
    for (const side of [256, 37]) {
      const spec = { ...hardware, device: ideal, tileInputs: side, tileOutputs: side };
      const { run, exact } = make(weights, 50, spec);
      // A DAC of 12 bits errs by 1/(2047 √12) of an x of 0.7 r.m.s.: 2e-4; weights of 13 bits by 1/(4095 √12) of the largest.
      expect(Math.sqrt(meanSquare(run(), exact) / exact.reduce((s, e) => s + (e * e) / 50, 0))).toBeLessThan(6e-4);
    }
  });
  it.each(Object.entries(ways))("gives the same bits on both kernels, noise, drift, calibration: %s", (_, hardware) => {
    const weights = weightsOf(19, 30);
    const results = (["reference", "simd"] as const).map((kernel) => {
      const { array, run } = make(weights, 19, { ...hardware, kernel, dacBits: 8, adcBits: 8, tileInputs: 16 });
      array.ageTo(86_400);
      array.calibrate("per-column");
      return [run(8), array.saturation];
    });
    expect(results[1]).toEqual(results[0]);
  });
});

describe("A scale for each column", () => {
  it("lets a column of small weights use all of its devices' range, and err less by the same factor", () => {
    const weights = weightsOf(2, 100);
    for (let i = 100; i < 200; i++) weights[i]! /= 16;
    const device = { ...pcmNandakumar2019, hasReadNoise: false };
    const errorOf = (scaleByColumn: boolean): number => {
      let sum = 0;
      for (let seed = 1; seed <= 40; seed++) {
        const { run, exact } = make(weights, 2, { device, scaleByColumn, seed });
        sum += (run()[1]! - exact[1]!) ** 2 / 40;
      }
      return Math.sqrt(sum);
    };
    // 16 times the current for a unit of W; but the spread is 0.26 µS for devices at rest, half of it cut off at zero,
    // and up to 1.1 µS for others.
    const gain = errorOf(false) / errorOf(true);
    expect(gain).toBeGreaterThan(4);
    expect(gain).toBeLessThan(16);
    const targets = make(weights, 2, { scaleByColumn: true }).array.tiles[0]!.targetsSiemens();
    expect(Math.max(...targets.subarray(200))).toBeCloseTo(25e-6, 10);
  });
});

describe("Ways to hold weights that cannot be", () => {
  it.each([
    [{ pairs: 0 }, "pairs: expected an integer in 1 … 16, got 0"],
    [{ pairs: 1.5 }, "pairs: expected an integer in 1 … 16, got 1.5"],
    [{ weightSlices: { bits: 1, count: 1 } }, "weightSlices.bits: expected an integer in 2 … 16, got 1"],
    [{ weightSlices: { bits: 8, count: 8 } }, "weightSlices.count: expected an integer in 1 … 7, got 8"],
    [{ verify: { acceptanceSiemens: 0, maxPulses: 3 } }, "acceptanceSiemens: expected a number > 0, got 0"],
    [{ verify: { acceptanceSiemens: 1, maxPulses: 0 } }, "maxPulses: expected an integer in 1 … 1000, got 0"],
  ])("are refused: %o", (hardware, sentence) => {
    expect(() => make(new Float32Array(12), 3, hardware)).toThrow(sentence);
  });
});
