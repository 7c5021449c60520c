import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import { genericDevice } from "../../../models/crossbar/devices/generic.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { levelsOf } from "../../../models/crossbar/levels.ts";
import { hasOracles, oracle } from "../../support/oracle.ts";

type Matrix = readonly (readonly number[])[];

/** A product in detail: converters of 24 bits are as good as none. */
const fine: Partial<ArraySpec> = { dacBits: 24, adcBits: 24, scaleInputs: true };

const build = (weights: Matrix, spec: Partial<ArraySpec>) => {
  const arena = new Arena(1_000_000);
  const [outputs, inputs] = [weights.length, weights[0]!.length];
  const all: ArraySpec = {
    ...{ device: ideal, dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, inputMax: 1 },
    ...{ seed: 1, arrayId: 0, maxBatch: 8, kernel: "simd" as const },
    ...spec,
  };
  const array = new CrossbarArray(Float32Array.from(weights.flat()), outputs, inputs, all, arena);
  const [x, y] = [arena.float32(8 * inputs), arena.float32(8 * outputs)];
  return {
    array,
    run(rows: Matrix) {
      x.set(rows.flat());
      array.mvm(x, y, rows.length, 0);
      return y.slice(0, rows.length * outputs);
    },
  };
};

const expectWithin = (y: Float32Array, expected: readonly number[], most: number): void => {
  const error = Math.max(...expected.map((value, i) => Math.abs(y[i]! - value)));
  expect(error).toBeLessThan(most);
};

interface CrossSimCase {
  readonly name: string;
  readonly y: Matrix;
  readonly G_pos_norm?: Matrix;
  readonly G_neg_norm?: Matrix;
}

describe.skipIf(!hasOracles)("Tiles read in detail against CrossSim (skipped without the reference numbers)", () => {
  const file = hasOracles
    ? oracle<{ W: Matrix; X: Matrix; cases: CrossSimCase[] }>("mvm_crosssim.json")
    : { W: [[1]], X: [[1]], cases: [] };
  const rowOf = (name: string): CrossSimCase => file.cases.find((row) => row.name.includes(name))!;
  const largest = Math.max(...file.W.flat().map(Math.abs));
  const unit = largest / 0.99; // of its conductances, normalised to g_max, of which weights take 99 %
  // The device of the numbers: on/off 100.
  const device = genericDevice({
    ...{ gMinSiemens: 1e-6, gMaxSiemens: 1e-4, programmingSigma: 0, nu: 0, nuSigma: 0, t0Seconds: 1, readSigma: 0 },
  });

  it.each([
    ["one-sided", "balanced one-sided, ideal converters"],
    ["two-sided", "balanced two-sided, ideal converters"],
  ] as const)("puts the %s conductances on its devices, and gives its product, within 2e-6", (pairing, name) => {
    const { array, run } = build(file.W, { ...fine, device, pairing });
    const { y, G_pos_norm, G_neg_norm } = rowOf(name);
    const targets = array.tiles[0]!.targetsSiemens();
    for (const [sign, siemens] of [G_pos_norm!, G_neg_norm!].entries()) {
      siemens.flat().forEach((g, p) => {
        expect(Math.abs(targets[2 * p + sign]! / 1e-4 - g)).toBeLessThan(2e-6);
      });
    }
    expectWithin(run(file.X), y.flat(), 2e-6);
  });
  it("gives the product of its digital offset, as any mapping does between ideal converters, within 2e-6", () => {
    const positive = file.X.map((row) => row.map(Math.abs));
    expectWithin(build(file.W, fine).run(positive), rowOf("digital offset").y.flat(), 2e-6);
  });
  it.each([2, 4])("gives its product of weights of 8 bits in %i digits, within 2e-6", (count) => {
    const { array, run } = build(file.W, { ...fine, device, weightSlices: { bits: 8, count } });
    expect(array.tiles).toHaveLength(count);
    expectWithin(run(file.X), rowOf(`${count} slices`).y.flat(), 2e-6);
  });
  it.each([8, 5])("gives its outputs of plain converters of 2^%i levels, −2 … 4, within 2e-6", (bits) => {
    const spec = {
      converters: "plain",
      dacBits: bits,
      adcBits: bits,
      adcLow: -0.5,
      tileOutputMax: [4 * unit],
    } as const;
    expectWithin(build(file.W, spec).run(file.X), rowOf(`Quantizer DAC${bits}/ADC${bits}`).y.flat(), 2e-6);
  });
  it.each([1, 2, 3, 7])("gives its product of inputs of 8 bits, in digits of %i bits here, within 2e-6", (bits) => {
    const spec = { dacBits: 8, adcBits: 24, inputSliceBits: bits };
    expectWithin(build(file.W, spec).run(file.X), rowOf("input bit-slicing").y.flat(), 2e-6);
  });
  it("gives its product of bit lines that carry no more than one device does, within 2e-6", () => {
    const { run } = build(file.W, { ...fine, scaleInputs: false, device, columnClip: 1 });
    expectWithin(run(file.X), rowOf("column current clip").y.flat(), 2e-6);
  });
  it.each([8, 6, 4])("gives its outputs of DACs and ADCs with sign and magnitude at %i bits, within 2e-6", (bits) => {
    // Clipping far above all currents: the way in detail, without effect.
    const spec = { dacBits: bits, adcBits: bits, tileOutputMax: [4 * unit], columnClip: 1000 };
    expectWithin(build(file.W, spec).run(file.X), rowOf(`SignMagnitude DAC${bits}/ADC${bits}`).y.flat(), 2e-6);
  });
});

interface AihwkitCase {
  readonly y: Matrix;
  readonly io: {
    readonly is_perfect?: boolean;
    readonly inp_res: number;
    readonly out_res: number;
    readonly inp_bound: number;
    readonly out_bound: number;
    readonly noise_management?: string;
    readonly bound_management?: string;
    readonly ir_drop?: number;
  };
}

describe.skipIf(!hasOracles)("Converters against aihwkit (skipped without the reference numbers)", () => {
  const file = hasOracles
    ? oracle<{ W: Matrix; X: Matrix; cases: AihwkitCase[] }>("mvm_quant_aihwkit.json")
    : { W: [[1]], X: [[1]], cases: [] };
  // Its drop along wires is a cubic approximation; ours is exact, and tested against circuits.
  const rows = file.cases.filter(({ io }) => io.ir_drop === undefined && !io.is_perfect);

  it("gives its product without converters, within 2e-6", () => {
    expectWithin(build(file.W, fine).run(file.X), file.cases.find(({ io }) => io.is_perfect)!.y.flat(), 2e-6);
  });
  it.each(rows.map(({ io, y }) => [JSON.stringify(io), io, y] as const))("gives its outputs of %s", (_, io, y) => {
    // Its resolution is a part of −bound … bound: 1 / 254 are 255 levels, sign and magnitude of 8 bits.
    const bitsOf = (resolution: number) => Math.log2(1 / resolution + 2);
    const management = {
      scaleInputs: io.noise_management === "AbsMax",
      retryClipped: io.bound_management === "Iterative",
    };
    const spec = {
      dacBits: bitsOf(io.inp_res),
      adcBits: bitsOf(io.out_res),
      tileOutputMax: [io.out_bound],
      ...management,
    };
    const plainWay = build(file.W, spec).run(file.X);
    const inDetail = build(file.W, { ...spec, columnClip: 1000 }).run(file.X);
    const isSame = (value: number, i: number) => Math.abs(plainWay[i]! - value) < 2e-6;
    const wrong = y.flat().filter((value, i) => !isSame(value, i));
    // One output in its last row is a tie in Float32, and goes to the other side.
    const most = management.retryClipped ? 1 : 0;
    expect(wrong.length).toBeLessThanOrEqual(most);
    expectWithin(inDetail, [...plainWay], 2e-6);
    if (most > 0) expectWithin(plainWay, y.flat(), 0.0296); // its step
  });
});

describe.skipIf(!hasOracles)("Mapping and levels against MemTorch (skipped without the reference numbers)", () => {
  const file = hasOracles ? oracle<Record<string, never>>("memtorch_misc.json") : {};

  it("puts weights on pairs of 10 kΩ and 1 MΩ as its naive map does, within 1e-5", () => {
    const { W, G_pos, G_neg } = file["naive_map DoubleColumn r_on 1e4 r_off 1e6"]! as Record<string, Matrix>;
    const device = { ...ideal, gMinSiemens: 1e-6, gMaxSiemens: 1e-4 };
    const targets = build(W!, { device }).array.tiles[0]!.targetsSiemens();
    for (const [sign, siemens] of [G_pos!, G_neg!].entries()) {
      siemens.flat().forEach((g, p) => {
        expect(Math.abs(targets[2 * p + sign]! / g - 1)).toBeLessThan(1e-5);
      });
    }
  });
  it.each([3, 4, 8])("has plain levels where its linear quantiser of %i bits has, within 1e-5", (bits) => {
    const { x, y_by_bits } = file["quantize linear"]! as { x: number[]; y_by_bits: Record<string, number[]> };
    // Its levels end one below 1, as two's complement does.
    const top = 1 - 2 ** (1 - bits);
    const levels = levelsOf("plain", bits, -1 / top);
    x.forEach((value, i) => {
      expect(Math.abs(levels.levelOf(value / top) * top - y_by_bits[bits]![i]!)).toBeLessThan(1e-5);
    });
  });
  it("drifts as its rule of Boybat does, from its t₀ on, within 1e-5", () => {
    const rows = file["conductance_drift (Boybat NVMTS 2018 form), MemTorch default t0=1e-12 s"]! as readonly {
      readonly t_s: number;
      readonly t0_s: number;
      readonly nu: number;
      readonly factor: number;
    }[];
    for (const { t_s, t0_s, nu, factor } of rows) {
      const of = { gMinSiemens: 0, gMaxSiemens: 1, programmingSigma: 0, nu, nuSigma: 0, t0Seconds: t0_s, readSigma: 0 };
      const out = new Float32Array(1);
      const cells = { g0Siemens: Float32Array.of(1), drift: Float32Array.of(nu), noise: new Float32Array(1) };
      genericDevice(of).conductances(cells, t_s - t0_s, out);
      expect(Math.abs(out[0]! / factor - 1)).toBeLessThan(1e-5);
    }
  });
});
