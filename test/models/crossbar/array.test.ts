import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import type { DeviceModel } from "../../../models/crossbar/devices/device.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { rramMilo2021 } from "../../../models/crossbar/devices/rram-milo-2021.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { SequentialRandom } from "../../../models/random.ts";

const fine: ArraySpec = {
  device: ideal,
  dacBits: 12,
  adcBits: 16,
  tileInputs: 256,
  tileOutputs: 256,
  inputMax: 1,
  seed: 1,
  arrayId: 0,
  maxBatch: 8,
  kernel: "simd",
};
const eightBits: ArraySpec = { ...fine, device: pcmNandakumar2019, dacBits: 8, adcBits: 8 };
const dayInSeconds = 86_400;

const gaussianWeights = (outputs: number, inputs: number, seed = 3): Float32Array => {
  const random = new SequentialRandom(seed);
  return Float32Array.from({ length: outputs * inputs }, () => random.gaussian() / 3);
};

/** An array with a batch of x in −1 … 1, its y, and the exact product. */
const bench = (outputs: number, inputs: number, spec: Partial<ArraySpec>, batch = 5) => {
  const arena = new Arena(8_000_000);
  const weights = gaussianWeights(outputs, inputs);
  const array = new CrossbarArray(weights, outputs, inputs, { ...eightBits, ...spec }, arena);
  const x = arena.float32(batch * inputs);
  const random = new SequentialRandom(9);
  for (let i = 0; i < x.length; i++) x[i] = 2 * random.uniform() - 1;
  const exact = Float64Array.from({ length: batch * outputs }, (_, at) => {
    const [row, o] = [Math.floor(at / outputs), at % outputs];
    return weights.subarray(o * inputs, (o + 1) * inputs).reduce((sum, w, i) => sum + w * x[row * inputs + i]!, 0);
  });
  const y = arena.float32(batch * outputs);
  const run = (inference = 0) => {
    array.mvm(x, y, batch, inference);
    return y.slice();
  };
  return { arena, array, weights, x, y, exact, run };
};

const normalisedError = (y: Float32Array, exact: Float64Array): number =>
  Math.sqrt(exact.reduce((sum, e, i) => sum + (y[i]! - e) ** 2, 0) / exact.reduce((sum, e) => sum + e ** 2, 0));

/** The y that fits best is this many times the exact product. */
const gainOf = (y: Float32Array, exact: Float64Array): number =>
  exact.reduce((sum, e, i) => sum + y[i]! * e, 0) / exact.reduce((sum, e) => sum + e * e, 0);

describe("CrossbarArray", () => {
  it("multiplies by W when the device is ideal and the converters are fine, on one tile and on many", () => {
    for (const tileSide of [256, 37]) {
      const { run, exact } = bench(50, 70, { ...fine, tileInputs: tileSide, tileOutputs: tileSide });
      // A DAC of 12 bits errs by 1/(2047 √12) of an x of 0.58 r.m.s.: 2.4e-4; weights and ADC by less.
      expect(normalisedError(run(), exact)).toBeLessThan(4e-4);
    }
  });
  it("errs at 8 bits as converters of 8 bits do: 0.7 % of an output of the ADC's range", () => {
    const { array, run, exact } = bench(50, 70, { device: ideal });
    const y = run();
    const step = array.tiles[0]!.circuit.outputMax / 127;
    // Half a step of the ADC, and DAC errors of step/√12 each through a column of norm 0.33 √70: five deviations.
    const dacError = (5 / (127 * Math.sqrt(12))) * 0.36 * Math.sqrt(70);
    expect(y.every((value, i) => Math.abs(value - exact[i]!) < step / 2 + dacError)).toBe(true);
  });
  it("gives the same bits on both kernels, on odd cuts, with read noise, drift and calibration", () => {
    const sizes = { tileInputs: 31, tileOutputs: 19 };
    const results = (["reference", "simd"] as const).map((kernel) => {
      const { array, run } = bench(45, 67, { ...sizes, kernel });
      const fresh = run(7);
      array.ageTo(dayInSeconds);
      array.calibrate("per-column");
      return [fresh, run(8), array.saturation];
    });
    expect(results[1]).toEqual(results[0]);
  });
  it("loses more than a third of its output in a day, and global calibration gives it back", () => {
    const { array, run, exact } = bench(128, 128, {});
    expect(gainOf(run(), exact)).toBeCloseTo(1, 1); // programming errors average out
    array.ageTo(dayInSeconds);
    // ν of 0.049 for the conductances that carry most current: (4321)^−0.049 = 0.66, small ones less.
    const drifted = gainOf(run(), exact);
    expect(drifted).toBeGreaterThan(0.55);
    expect(drifted).toBeLessThan(0.67);
    const before = normalisedError(run(), exact);
    array.calibrate("global");
    expect(Math.abs(gainOf(run(), exact) - 1)).toBeLessThan(0.06);
    // What stays is the spread of ν and of programming, not the common loss: aihwkit has 0.35 without and 0.14 with.
    expect(normalisedError(run(), exact)).toBeLessThan(0.6 * before);
    array.calibrate("none");
    expect(gainOf(run(), exact)).toBeCloseTo(drifted, 2);
  });
  it("is a function of its age, forwards and backwards", () => {
    const { array, run } = bench(20, 30, {});
    const fresh = run();
    array.ageTo(dayInSeconds);
    const old = run();
    array.ageTo(3600);
    array.ageTo(dayInSeconds);
    expect(run()).toEqual(old);
    array.ageTo(0);
    expect(run()).toEqual(fresh);
  });
  it("draws the same noise for the same inference and another for the next, whatever the batch", () => {
    const { array, arena, x, run } = bench(20, 30, { adcBits: 16 });
    const first = run(41);
    expect(run(41)).toEqual(first);
    expect(run(42)).not.toEqual(first);
    const one = arena.float32(20);
    array.mvm(x, one, 1, 41);
    expect(one).toEqual(first.slice(0, 20));
  });
  it("draws other devices and other noise for another seed and for another array of the chip", () => {
    const outputs = [{}, { seed: 2 }, { arrayId: 1 }].map((spec) => bench(20, 30, spec).run().join());
    expect(new Set(outputs).size).toBe(3);
  });
  it("reads with the noise of every single device: variance Σ v x²", () => {
    const { array, x, y } = bench(16, 40, { adcBits: 16, dacBits: 8, maxBatch: 5 });
    const age = 3600;
    array.ageTo(age);
    const n = 20_000;
    const [sums, squares] = [new Float64Array(16), new Float64Array(16)];
    for (let inference = 0; inference < n; inference++) {
      array.mvm(x, y, 1, inference);
      for (let o = 0; o < 16; o++) {
        sums[o]! += y[o]!;
        squares[o]! += y[o]! ** 2;
      }
    }
    const weightsPerSiemens = gaussianWeights(16, 40).reduce((max, w) => Math.max(max, Math.abs(w)), 0) / 25e-6;
    const variances = array.tiles[0]!.readVariancesAt(age);
    for (let o = 0; o < 16; o++) {
      let expected = 0;
      for (let i = 0; i < 40; i++) {
        const pair = 2 * (o * 40 + i);
        const code = Math.round(x[i]! * 127) / 127;
        expected += (variances[pair]! + variances[pair + 1]!) * (code * weightsPerSiemens) ** 2;
      }
      const measured = squares[o]! / n - (sums[o]! / n) ** 2;
      // Five standard errors of a variance, √(2/n) = 1 %, and 0.5 % for codes of the variances.
      expect(Math.abs(measured / expected - 1)).toBeLessThan(0.055);
    }
  });
  it("counts what its converters clip", () => {
    const { array, x, y } = bench(4, 6, { tileOutputMax: [1e-6] });
    x[0] = 1.5;
    x[1] = Number.NaN;
    array.mvm(x, y, 1, 0);
    expect(array.saturation).toEqual({ inputs: 1, outputs: 4 });
  });
  it("keeps α = 1 for a tile of zeros", () => {
    const array = new CrossbarArray(new Float32Array(12), 3, 4, { ...eightBits, device: ideal }, new Arena(1_000_000));
    array.ageTo(dayInSeconds);
    array.calibrate("per-column");
    expect([...array.tiles[0]!.alpha]).toEqual([1, 1, 1]);
  });
  it.each([
    {},
    { pairs: 2, pairing: "two-sided", scaleByColumn: true, spareColumns: 1, slowNoise: true },
    { weightSlices: { bits: 8, count: 2 } },
  ] as const)("allocates nothing in mvm: %o", (hardware) => {
    const { array, x, y } = bench(40, 40, { tileInputs: 20, tileOutputs: 20, ...hardware });
    const run = (calls: number) => {
      for (let i = 0; i < calls; i++) array.mvm(x, y, 1, i);
    };
    run(20_000); // until it is compiled
    const growths = Array.from({ length: 5 }, () => {
      const before = process.memoryUsage().heapUsed;
      run(20_000);
      return process.memoryUsage().heapUsed - before;
    });
    // One object of 16 bytes a call would be 320 KB. A collection between makes a growth negative; another thread
    // of V8 may add a little: so the median.
    expect(growths.sort((a, b) => a - b)[2]!).toBeLessThan(100_000);
  });
});

describe("From run to run", () => {
  it("a process of its own gives the same bits, on plain SIMD, with drift, noise, faults, pairs and slow noise", () => {
    const program = `
      import { createHash } from "node:crypto";
      const [array, devices, arena] = await Promise.all(
        ["array.ts", "devices/pcm-nandakumar-2019.ts", "kernels/arena.ts"].map((file) => import(process.argv[1] + file)));
      const room = new arena.Arena(8e6);
      const weights = Float32Array.from({ length: 61 * 83 }, (_, p) => Math.sin(p * p));
      const chip = new array.CrossbarArray(weights, 61, 83, {
        device: devices.pcmNandakumar2019, dacBits: 8, adcBits: 8, tileInputs: 32, tileOutputs: 40, inputMax: 1, seed: 9,
        arrayId: 4, maxBatch: 2, kernel: "simd", pairs: 2, slowNoise: true, faults: { stuckLow: 0.01, openBitLines: 0.01 },
        verify: { acceptanceSiemens: 5e-7, maxPulses: 5 } }, room);
      const [x, y] = [room.float32(166), room.float32(122)];
      for (let i = 0; i < 166; i++) x[i] = ((i * 37) % 101) / 50 - 1;
      chip.ageTo(86400.5);
      chip.calibrate("per-column");
      chip.mvm(x, y, 2, 12);
      process.stdout.write(createHash("sha256").update(y).digest("hex"));`;
    const folder = new URL("../../../models/crossbar/", import.meta.url).href;
    const run = () => execFileSync(process.execPath, ["--input-type=module", "--eval", program, folder]).toString();
    const first = run();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(run()).toBe(first);
  });
});

describe("CrossbarArray refuses what it cannot be", () => {
  const make = (spec: Partial<ArraySpec>, weights = new Float32Array(12)) =>
    new CrossbarArray(weights, 3, 4, { ...eightBits, ...spec }, new Arena(1_000_000));
  const notFinite = new Float32Array(12);
  notFinite[5] = Number.NaN;
  const upsideDown: DeviceModel = { ...ideal, name: "upside-down", gMinSiemens: 2, gMaxSiemens: 1 };

  it.each([
    [() => make({}, notFinite), "weights[5]: expected a finite number, got NaN"],
    [() => make({}, new Float32Array(11)), "weights: expected [3 × 4] numbers, got 11"],
    [() => make({ dacBits: 0 }), "dacBits: expected an integer in 2 … 12, got 0"],
    [() => make({ adcBits: 1.5 }), "adcBits: expected an integer in 2 … 16, got 1.5"],
    [() => make({ tileInputs: 0 }), "tileInputs: expected an integer in 1 … 256, got 0"],
    [() => make({ inputMax: -1 }), "inputMax: expected a finite number > 0, got -1"],
    [() => make({ tileOutputMax: [1, 1] }), "tileOutputMax: expected 1 numbers, one a tile, got 2"],
    [() => make({ tileOutputMax: [0] }), "tileOutputMax: expected a finite number > 0, got 0"],
    [() => make({ device: upsideDown }), "upside-down gMinSiemens: expected 0 ≤ gMin < gMax = 1, got 2"],
    [
      () => make({ device: { ...pcmNandakumar2019, gMaxSiemens: 50e-6 } }),
      "pcm-nandakumar-2019 range: expected within its fit, 0 … 0.000025 S, got 0 … 0.00005",
    ],
    [
      () => make({ device: { ...rramMilo2021, gMinSiemens: 1e-6 } }),
      "rram-milo-2021 range: expected within its fit, 0.00005 … 0.000225 S, got 0.000001 … 0.000225",
    ],
    [() => make({ seed: -1 }), "seed: expected an integer ≥ 0, got -1"],
    [() => make({}).ageTo(-1), "ageSeconds: expected a finite number ≥ 0, got -1"],
    [() => make({}).mvm(new Float32Array(4), new Float32Array(3), 1, 0), "x: expected an array cut from the arena"],
    [() => make({}).mvm(new Float32Array(3), new Float32Array(3), 1, 0), "x: expected at least 4 numbers, got 3"],
    [() => make({}).mvm(new Float32Array(4), new Float32Array(3), 9, 0), "batch: expected 0 … 8, got 9"],
  ])("%#", (attempt, message) => {
    expect(attempt).toThrow(message);
  });
});
