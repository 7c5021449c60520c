import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import type { DeviceModel } from "../../../models/crossbar/devices/device.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { hasOracles, oracle } from "../../support/oracle.ts";

type Matrix = readonly (readonly number[])[];

const build = (weights: Matrix, spec: Partial<ArraySpec>) => {
  const arena = new Arena(1_000_000);
  const [outputs, inputs] = [weights.length, weights[0]!.length];
  const array = new CrossbarArray(
    Float32Array.from(weights.flat()),
    outputs,
    inputs,
    {
      device: ideal,
      dacBits: 8,
      adcBits: 8,
      tileInputs: 256,
      tileOutputs: 256,
      inputMax: 1,
      seed: 1,
      arrayId: 0,
      maxBatch: 8,
      kernel: "simd",
      ...spec,
    },
    arena,
  );
  const x = arena.float32(8 * inputs);
  const y = arena.float32(8 * outputs);
  return {
    array,
    run(rows: Matrix, inference = 0) {
      x.set(rows.flat());
      array.mvm(x, y, rows.length, inference);
      return y.subarray(0, rows.length * outputs);
    },
  };
};

const largestOf = (weights: Matrix): number => Math.max(...weights.flat().map(Math.abs));

describe.skipIf(!hasOracles)("CrossbarArray against CrossSim (skipped without the reference numbers)", () => {
  const file = hasOracles
    ? oracle<{ W: Matrix; X: Matrix; cases: { name: string; y: Matrix }[] }>("mvm_crosssim.json")
    : { W: [[]], X: [[]], cases: [] };
  const expected = (name: string) => file.cases.find((row) => row.name.includes(name))!.y.flat();
  // CrossSim's range is of conductances normalised to g_max, of which weights take 99 % (its g_min is 1 %).
  const unit = largestOf(file.W) / 0.99;

  it.each([8, 6, 4])("gives its outputs of DACs and ADCs with sign and magnitude at %i bits, within 2e-6", (bits) => {
    const { run } = build(file.W, { dacBits: bits, adcBits: bits, tileOutputMax: [4 * unit] });
    const y = run(file.X);
    expected(`SignMagnitude DAC${bits}/ADC${bits}`).forEach((value, i) => {
      expect(Math.abs(y[i]! - value)).toBeLessThan(2e-6);
    });
  });
  it("gives its outputs of tiles of 3 inputs with an ADC of 6 bits each and a digital sum, within 2e-6", () => {
    const { array, run } = build(file.W, {
      dacBits: 12, // CrossSim has none here; 12 bits leave each ADC code where it is
      adcBits: 6,
      tileInputs: 3,
      tileOutputs: 4,
      tileOutputMax: new Array(6).fill(2 * unit),
    });
    expect(array.tiles).toHaveLength(6);
    const y = run(file.X);
    expected("tiled").forEach((value, i) => {
      expect(Math.abs(y[i]! - value)).toBeLessThan(2e-6);
    });
  });
});

/** `ideal`, but all devices drift by one ν from 20 s on: aihwkit's state-independent model without noise. */
const drifting = (nu: number): DeviceModel => ({
  ...ideal,
  name: "drifting",
  conductances: (cells, ageSeconds, out) => {
    const factor = ((ageSeconds + 20) / 20) ** -nu;
    for (let d = 0; d < out.length; d++) out[d] = cells.g0Siemens[d]! * factor;
  },
});

interface DriftRow {
  nu: number;
  t_s: number;
  alpha: number;
  expected: number;
  y: Matrix;
}

describe.skipIf(!hasOracles)("drift compensation against aihwkit (skipped without the reference numbers)", () => {
  it("α(t) is ((t + t₀)/t₀)^ν within the step of the calibration's ADC, and the output is the ideal product", () => {
    const { W, X, rows } = oracle<{ W: Matrix; X: Matrix; rows: DriftRow[] }>("drift_compensation_exact.json");
    for (const { nu, t_s, expected, y } of rows) {
      const { array, run } = build(W, { device: drifting(nu), dacBits: 12, adcBits: 16 });
      for (const mode of ["global", "per-column"] as const) {
        array.ageTo(t_s);
        array.calibrate(mode);
        for (const alpha of array.tiles[0]!.alpha) {
          // aihwkit reads with perfect converters; ours has 16 bits, 32767 codes for the largest weight or so.
          expect(Math.abs(alpha / expected - 1)).toBeLessThan(1e-4);
        }
        const compensated = run(X);
        // A DAC of 12 bits: 1/2047/√12 of each of eight inputs; five deviations.
        y.flat().forEach((value, i) => {
          expect(Math.abs(compensated[i]! - value)).toBeLessThan(5 * (1 / 2047 / Math.sqrt(12)) * Math.sqrt(8));
        });
      }
    }
  });
});

interface NoiseRow {
  io: { w_noise?: number; w_noise_type?: string; out_noise?: number };
  x: readonly number[];
  std: readonly number[];
  expected_std: readonly number[];
}

describe.skipIf(!hasOracles)("read noise against aihwkit (skipped without the reference numbers)", () => {
  const file = hasOracles
    ? oracle<{ W: Matrix; rows: NoiseRow[] }>("read_noise_output_stats_aihwkit.json")
    : { W: [[]], rows: [] };
  it.each([
    ["PCMRead", "plainly", 0.02],
    ["AdditiveConstant", "plainly", 0.02],
    ["PCMRead", "in detail", 0.01],
    ["AdditiveConstant", "in detail", 0.01],
  ] as const)("has the spread of each output of its noise %s, read %s, within %f", (type, way, most) => {
    const row = file.rows.find(({ io }) => io.w_noise_type === type)!;
    const weightsPerSiemens = largestOf(file.W) / ideal.gMaxSiemens;
    const perWeight = row.io.w_noise! ** 2;
    const noisy: DeviceModel = {
      ...ideal,
      hasReadNoise: true,
      readVariances: ({ g0Siemens }, _ageSeconds, out) => {
        for (let d = 0; d < out.length; d++) {
          const weight = type === "PCMRead" ? g0Siemens[d]! * weightsPerSiemens : 0.5; // half a pair's constant each
          out[d] = (perWeight * weight) / weightsPerSiemens ** 2;
        }
      },
    };
    const { run } = build(file.W, {
      device: noisy,
      dacBits: 12,
      adcBits: 16,
      inputMax: 1.2,
      tileOutputMax: [8],
      ...(way === "in detail" && { columnClip: 1e6 }),
    });
    const n = 100_000;
    const [sums, squares] = [new Float64Array(6), new Float64Array(6)];
    for (let inference = 0; inference < n / 8; inference++) {
      run(new Array(8).fill(row.x), inference).forEach((y, i) => {
        sums[i % 6]! += y / n;
        squares[i % 6]! += (y * y) / n;
      });
    }
    row.expected_std.forEach((std, o) => {
      // Our 100 000 reads: 0.22 % standard error of std. Plainly, variances of eight inputs are rounded to 8 bits besides.
      expect(Math.abs(Math.sqrt(squares[o]! - sums[o]! ** 2) / std - 1)).toBeLessThan(most);
    });
  });
  it("has the spread of noise of its outputs, within 1 %", () => {
    const row = file.rows.find(({ io }) => io.out_noise !== undefined)!;
    const spec = { dacBits: 12, adcBits: 16, inputMax: 1.2, tileOutputMax: [8], outputNoise: row.io.out_noise! / 8 };
    const { run } = build(file.W, spec);
    const n = 100_000;
    const [sums, squares] = [new Float64Array(6), new Float64Array(6)];
    for (let inference = 0; inference < n / 8; inference++) {
      run(new Array(8).fill(row.x), inference).forEach((y, i) => {
        sums[i % 6]! += y / n;
        squares[i % 6]! += (y * y) / n;
      });
    }
    row.expected_std.forEach((std, o) => {
      expect(Math.abs(Math.sqrt(squares[o]! - sums[o]! ** 2) / std - 1)).toBeLessThan(0.01);
    });
  });
});
