import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { rramMilo2021 } from "../../../models/crossbar/devices/rram-milo-2021.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { SequentialRandom } from "../../../models/random.ts";

const [outputs, inputs] = [7, 12];
const random = new SequentialRandom(3);
const weights = Float32Array.from({ length: outputs * inputs }, () => random.gaussian() / 3);
const base: ArraySpec = {
  device: ideal,
  ...{ dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, inputMax: 1, seed: 1, arrayId: 0, maxBatch: 2 },
  kernel: "simd",
};

const make = (spec: Partial<ArraySpec> = {}) => {
  const arena = new Arena(1_000_000);
  const array = new CrossbarArray(weights, outputs, inputs, { ...base, ...spec }, arena);
  const [x, y] = [arena.float32(2 * inputs), arena.float32(2 * outputs)];
  for (let i = 0; i < x.length; i++) x[i] = Math.sin(3 * i + 1);
  const run = (inference = 0) => {
    array.mvm(x, y, 2, inference);
    return y.slice();
  };
  return { array, tile: array.tiles[0]!, x, run };
};
const inDetail = { columnClip: 1e6 }; // without effect, but for the way of reading

const expectWithin = (y: Float32Array, wanted: ArrayLike<number>, most: number): void => {
  expect(Math.max(...y.map((value, o) => Math.abs(value - wanted[o]!)))).toBeLessThan(most);
};

describe("A tile read in detail", () => {
  it("gives what the plain way gives, read noise, drift, calibration and cuts included, within a step of its ADCs", () => {
    const sides = { device: pcmNandakumar2019, tileInputs: 7, tileOutputs: 4, adcBits: 16 };
    const [plain, detailed] = [{}, inDetail].map((way) => {
      const { array, run } = make({ ...sides, ...way });
      array.ageTo(86_400);
      array.calibrate("per-column");
      return { array, y: run(5), again: run(5), next: run(6) };
    });
    const step = plain!.array.tiles.reduce((sum, { circuit }) => sum + circuit.outputMax, 0) / 32767;
    // Codes of weights and of variances, 8 bits, are rounded in the plain way: a thousandth of the noise.
    expectWithin(detailed!.y, plain!.y, 20 * step);
    expect(detailed!.again).toEqual(detailed!.y);
    expect(detailed!.next).not.toEqual(detailed!.y);
  });
  it("counts what its converters clip, and with retries clips nothing", () => {
    const { array, x, run } = make({ ...inDetail, tileOutputMax: [0.3] });
    x[0] = 1.5;
    const clipped = run().filter((value) => Math.abs(value) > 0.2999).length;
    expect(clipped).toBeGreaterThan(3);
    expect(array.saturation).toEqual({ inputs: 1, outputs: clipped });
    const patient = make({ retryClipped: true, tileOutputMax: [0.3], dacBits: 12 });
    const exact = make({ dacBits: 12, adcBits: 16 }).run();
    expectWithin(patient.run(), exact, 0.04);
    expect(patient.array.saturation.outputs).toBe(0);
  });
  it("reads faint inputs with all bits of its DACs, where it divides by the largest", () => {
    const error = (scaleInputs: boolean): number => {
      const faint = make({ ...inDetail, adcBits: 24, scaleInputs });
      const exact = make({ ...inDetail, dacBits: 24, adcBits: 24 });
      for (const { x } of [faint, exact]) for (let i = 0; i < x.length; i++) x[i]! *= 0.02;
      const wanted = exact.run();
      return Math.sqrt(faint.run().reduce((sum, value, o) => sum + (value - wanted[o]!) ** 2, 0));
    };
    expect(error(false) / error(true)).toBeGreaterThan(20); // of 50
  });
  it("sums digits of inputs: one more conversion each, as exact as its ADCs", () => {
    const exact = make({ ...inDetail, adcBits: 24 }).run();
    for (const inputSliceBits of [1, 3, 4]) {
      const { run, array } = make({ inputSliceBits, adcBits: 14 });
      const digits = Math.ceil(7 / inputSliceBits);
      const most = (digits + 1) * (5 / 2 ** 13); // ranges are under 5
      expectWithin(run(), exact, most);
      expect(array.saturation.outputs).toBe(0);
    }
  });
});

describe("Devices that are not linear, inside a tile", () => {
  const fine = { device: rramMilo2021, dacBits: 8, adcBits: 24, readVolts: 0.4 };
  const weightsPerSiemens = weights.reduce((max, w) => Math.max(max, Math.abs(w)), 0) / 175e-6;
  /** I = G V + NL₂ V² + NL₃ V³ of each device, by the sum that the paper gives. */
  const byHand = (siemens: Float32Array, voltsOf: (x: number) => readonly [volts: number, seconds: number]) =>
    Float64Array.from({ length: 2 * outputs }, (_, at) => {
      const [row, o] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let i = 0; i < inputs; i++) {
        const [volts, seconds] = voltsOf(Math.round(Math.fround(Math.sin(3 * (row * inputs + i) + 1)) * 127) / 127);
        for (const sign of [0, 1]) {
          const g = siemens[2 * (o * inputs + i) + sign]!;
          const [, second, third] = rramMilo2021.currentCoefficients!(g);
          sum += (1 - 2 * sign) * (g * volts + second * volts ** 2 + third * volts ** 3) * seconds;
        }
      }
      return (sum / 0.4) * weightsPerSiemens;
    });

  it("carry the currents of their curves for amplitudes, and for pulses at full voltage", () => {
    const amplitude = make(fine);
    const siemens = amplitude.tile.conductancesAt(0);
    const wanted = byHand(siemens, (x) => [0.4 * x, 1]);
    expectWithin(amplitude.run(), wanted, 1e-5);
    const pulses = byHand(siemens, (x) => [0.4 * Math.sign(x), Math.abs(x)]);
    expectWithin(make({ ...fine, inputCoding: "pulse-width" }).run(), pulses, 1e-5);
    const linear = make({ ...fine, readVolts: undefined as never, adcBits: 16 }).run();
    expect(Math.max(...linear.map((value, o) => Math.abs(value - wanted[o]!)))).toBeGreaterThan(0.01);
  });
  it("are as linear as can be at a microvolt", () => {
    const linear = make({ ...fine, readVolts: 1e-6 }).run();
    const { run } = make({ ...inDetail, device: rramMilo2021, adcBits: 24 });
    expectWithin(run(), linear, 1e-5);
  });
  it("behind wires of next to no resistance are those without, and behind 20 Ω carry less", () => {
    const without = make(fine).run();
    const wires = { layout: "separate", wordLineOhm: 1e-6, bitLineOhm: 1e-6 } as const;
    expectWithin(make({ ...fine, wires, spareColumns: 1 }).run(), without, 1e-4);
    const dropped = make({ ...fine, wires: { ...wires, wordLineOhm: 20, bitLineOhm: 20 } }).run();
    const size = (y: Float32Array) => Math.sqrt(y.reduce((sum, value) => sum + value * value, 0));
    expect(size(dropped)).toBeLessThan(0.97 * size(without));
  });
  it("behind wires and linear by a low voltage give the product of the effective matrix", () => {
    const wires = { layout: "separate", wordLineOhm: 20, bitLineOhm: 20 } as const;
    const exact = make({ ...inDetail, device: rramMilo2021, adcBits: 24, wires }).run();
    expectWithin(make({ ...fine, readVolts: 1e-5, wires }).run(), exact, 1e-4);
  });
});

describe("Ways to read that cannot be", () => {
  const wires = { layout: "interleaved", wordLineOhm: 1, bitLineOhm: 1 } as const;
  it.each([
    [{ converters: "plain", adcLow: 0.5 }, "adcLow: expected a number −1 … 0, got 0.5"],
    [{ inputSliceBits: 8 }, "inputSliceBits: expected an integer in 1 … 7, got 8"],
    [{ inputSliceBits: 1, converters: "plain" }, "inputSliceBits: expected sign-magnitude converters, got plain"],
    [{ outputNoise: -0.1 }, "outputNoise: expected a part of full scale, 0 … 1, got -0.1"],
    [{ columnClip: -1 }, "columnClip: expected a number > 0, got -1"],
    [{ device: rramMilo2021, readVolts: 0 }, "readVolts: expected a number > 0, got 0"],
    [{ device: rramMilo2021, readVolts: 0.2, wires }, "readVolts: expected amplitudes and separate wires"],
    [{ ...inDetail, adcBits: 25 }, "adcBits: expected an integer in 2 … 24, got 25"],
    [{ ...inDetail, dacBits: 0 }, "dacBits: expected an integer in 2 … 24, got 0"],
  ] as const)("are refused: %o", (spec, sentence) => {
    expect(() => make(spec)).toThrow(sentence);
  });
});
