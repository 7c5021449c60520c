import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../../models/crossbar/array.ts";
import { rramMilo2021 } from "../../../../models/crossbar/devices/rram-milo-2021.ts";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import { effectiveMatrix } from "../../../../models/crossbar/wires/effective-matrix.ts";
import { type PairWires, throughWires } from "../../../../models/crossbar/wires/pair-wires.ts";
import { SequentialRandom } from "../../../../models/random.ts";
import { hasOracles, oracle } from "../../../support/oracle.ts";
import { times } from "./badcrossbar.ts";

type Matrix = readonly (readonly number[])[];

describe.skipIf(!hasOracles)("wires of differential pairs against CrossSim (skipped without its numbers)", () => {
  interface Row {
    readonly name: string;
    readonly y: Matrix;
    readonly Rp?: number;
    readonly interleaved?: boolean;
    readonly G_pos_norm: Matrix;
    readonly G_neg_norm: Matrix;
  }
  const file = hasOracles
    ? oracle<{ W: Matrix; X: Matrix; cases: readonly Row[] }>("mvm_crosssim.json")
    : { W: [[]], X: [[]], cases: [] };
  const rows = file.cases.filter(({ Rp }) => Rp !== undefined);

  it.each(rows.map((row) => [row.name, row] as const))("%s", (_, row) => {
    const [outputs, inputs] = [file.W.length, file.W[0]!.length];
    const gMax = 1e-4; // R_min 10 kΩ; g_min is 1 % of it
    const siemens = new Float32Array(2 * outputs * inputs);
    row.G_pos_norm.flat().forEach((g, p) => {
      siemens[2 * p] = g * gMax;
      siemens[2 * p + 1] = row.G_neg_norm.flat()[p]! * gMax;
    });
    const wires: PairWires = {
      wordLineOhm: row.Rp!,
      bitLineOhm: row.Rp!,
      layout: row.interleaved ? "interleaved" : "separate",
    };
    throughWires(siemens, outputs, inputs, wires, new Float32Array(siemens.length));
    const weightsPerSiemens = Math.max(...file.W.flat().map(Math.abs)) / (0.99 * gMax);
    const weights = Float64Array.from(
      { length: outputs * inputs },
      (_, p) => (siemens[2 * p]! - siemens[2 * p + 1]!) * weightsPerSiemens,
    );
    file.X.forEach((x, k) => {
      times(weights, x, outputs).forEach((y, j) => {
        // Conductances of seven digits in Float32, and a solver that stops short of rounding.
        expect(Math.abs(y - row.y[k]![j]!)).toBeLessThan(1e-5);
      });
    });
  });
});

const random = new SequentialRandom(5, [0, 0, 0]);
const weights = (count: number) => Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);

describe("An array behind resistive wires", () => {
  const [outputs, inputs] = [12, 20];
  const w = weights(outputs * inputs);
  const x = Float32Array.from({ length: inputs }, (_, i) => Math.cos(i));
  const build = (wires: PairWires | undefined) => {
    const arena = new Arena(1_000_000);
    const array = new CrossbarArray(
      w,
      outputs,
      inputs,
      {
        ...{ device: rramMilo2021, dacBits: 12, adcBits: 16, tileInputs: 256, tileOutputs: 256, inputMax: 1 },
        ...{ seed: 1, arrayId: 0, maxBatch: 1, kernel: "simd" as const },
        ...(wires && { wires }),
      },
      arena,
    );
    const [input, output] = [arena.float32(inputs), arena.float32(outputs)];
    input.set(x);
    array.mvm(input, output, 1, 0);
    return { array, y: Float64Array.from(output) };
  };

  it.each(["separate", "interleaved"] as const)("gives the product of its effective matrix, %s", (layout) => {
    const wires = { wordLineOhm: 3, bitLineOhm: 5, layout };
    const { array, y } = build(wires);
    const siemens = array.tiles[0]!.conductancesAt(0);
    throughWires(siemens, outputs, inputs, wires, new Float32Array(siemens.length));
    const scale = w.reduce((max, v) => Math.max(max, Math.abs(v)), 0) / 175e-6;
    for (let j = 0; j < outputs; j++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) {
        const p = 2 * (j * inputs + i);
        sum += (siemens[p]! - siemens[p + 1]!) * scale * x[i]!;
      }
      // 12-bit inputs: √20 / 2 steps of 1 / 2047.
      expect(Math.abs(y[j]! - sum)).toBeLessThan(2e-3);
    }
  });

  it("loses what the resistance takes: more with more, nothing with none", () => {
    const drop = (ohm: number) => {
      const free = build(undefined).y;
      const { y } = build({ wordLineOhm: ohm, bitLineOhm: ohm, layout: "separate" });
      return y.reduce((sum, v, j) => sum + (free[j]! - v) ** 2, 0);
    };
    expect(drop(0)).toBe(0);
    expect(drop(20)).toBeGreaterThan(4 * drop(5));
  });
});

describe("read noise behind wires", () => {
  it("has the variance of full solutions with every device drawn anew, within 10 %, at 10 % drop", () => {
    const n = 32;
    const wires: PairWires = { wordLineOhm: 9, bitLineOhm: 9, layout: "separate" };
    const uniform = new SequentialRandom(8, [0, 0, 0]);
    const siemens = Float32Array.from({ length: 2 * n * n }, (_, d) => (d % 2 === 0 ? 25e-6 * uniform.uniform() : 0));
    const x = Array.from({ length: n }, () => uniform.uniform());
    const sigma = 0.05;
    const ratios = new Float32Array(siemens.length);
    throughWires(siemens.slice(), n, n, wires, ratios);
    const plus = Float64Array.from({ length: n * n }, (_, p) => siemens[2 * p]!);
    const mean = times(effectiveMatrix(plus, n, n, wires), x, n);
    let [ours, full, drop] = [0, 0, 0];
    for (let j = 0; j < n; j++) {
      let ideal = 0;
      for (let i = 0; i < n; i++) {
        const p = j * n + i;
        ours += (sigma * plus[p]! * ratios[2 * p]! * x[i]!) ** 2;
        ideal += plus[p]! * x[i]!;
      }
      drop = Math.max(drop, 1 - mean[j]! / ideal);
    }
    const draws = 200;
    for (let k = 0; k < draws; k++) {
      const noisy = plus.map((g) => g * (1 + sigma * uniform.gaussian()));
      times(effectiveMatrix(noisy, n, n, wires), x, n).forEach((y, j) => {
        full += (y - mean[j]!) ** 2 / draws;
      });
    }
    expect(drop).toBeGreaterThan(0.1);
    // 6,400 squares: a standard error of 1.8 %.
    expect(Math.abs(ours / full - 1)).toBeLessThan(0.1);
  });
});
