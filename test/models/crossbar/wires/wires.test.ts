import { describe, expect, it } from "vitest";
import { currentAt } from "../../../../models/crossbar/devices/device.ts";
import { rramMilo2021 } from "../../../../models/crossbar/devices/rram-milo-2021.ts";
import { effectiveMatrix } from "../../../../models/crossbar/wires/effective-matrix.ts";
import { nodeVoltages, nonlinearNodeVoltages } from "../../../../models/crossbar/wires/node-voltages.ts";
import { SequentialRandom } from "../../../../models/random.ts";
import { hasOracles, oracle } from "../../../support/oracle.ts";
import { byOutputs, circuits, times } from "./badcrossbar.ts";

/** Largest difference, in units of the largest of the expected. */
const distance = (ours: ArrayLike<number>, theirs: ArrayLike<number>): number => {
  let [largest, worst] = [0, 0];
  for (let i = 0; i < theirs.length; i++) {
    largest = Math.max(largest, Math.abs(theirs[i]!));
    worst = Math.max(worst, Math.abs(ours[i]! - theirs[i]!));
  }
  return ours.length === theirs.length ? worst / (largest || 1) : Number.POSITIVE_INFINITY;
};

const random = (outputs: number, inputs: number, seed = 1): Float64Array => {
  const uniform = new SequentialRandom(seed, [0, 0, 0]);
  return Float64Array.from({ length: outputs * inputs }, () => 25e-6 * uniform.uniform());
};

describe.skipIf(!hasOracles)("wires, by other solvers of the same circuits (skipped without their numbers)", () => {
  // The numbers have twelve digits.
  it.each(hasOracles ? circuits().map((one) => [one.name, one] as const) : [])(
    "badcrossbar %s: output currents to 1e-9, node voltages and device currents where given",
    (_, one) => {
      const { siemens, outputs, inputs, circuit } = one;
      const matrix = effectiveMatrix(siemens, outputs, inputs, circuit);
      one.volts.forEach((volts, pattern) => {
        expect(distance(times(matrix, volts, outputs), one.outputAmperes[pattern]!)).toBeLessThan(1e-9);
      });
      if (one.deviceAmperes === undefined) return;
      const solved = nodeVoltages(siemens, outputs, inputs, circuit, one.volts[0]!);
      expect(distance(solved.outputAmperes, one.outputAmperes[0]!)).toBeLessThan(1e-9);
      expect(distance(solved.deviceAmperes, one.deviceAmperes)).toBeLessThan(1e-9);
      expect(distance(solved.wordLine, one.wordLine!)).toBeLessThan(1e-9);
      expect(distance(solved.bitLine, one.bitLine!)).toBeLessThan(1e-9);
    },
  );

  interface Row {
    readonly resistances_ohm: readonly (readonly (number | "inf")[])[];
    readonly applied_voltages_V: readonly (readonly number[])[];
    readonly r_word_line_ohm: number;
    readonly r_bit_line_ohm: number;
    readonly qucs_output_currents_A: readonly number[];
  }
  it("the circuit simulator Qucs: 33 circuits to 1e-9", () => {
    const { rows } = oracle<{ rows: readonly Row[] }>("irdrop_qucs.json");
    expect(rows.length).toBe(33);
    for (const row of rows) {
      const siemens = byOutputs(row.resistances_ohm.map((line) => line.map((ohm) => (ohm === "inf" ? 0 : 1 / ohm))));
      const [inputs, outputs] = [row.resistances_ohm.length, row.resistances_ohm[0]!.length];
      const circuit = { wordLineOhm: row.r_word_line_ohm, bitLineOhm: row.r_bit_line_ohm };
      const matrix = effectiveMatrix(siemens, outputs, inputs, circuit);
      const volts = row.applied_voltages_V.map(([v]) => v!);
      expect(distance(times(matrix, volts, outputs), row.qucs_output_currents_A.flat())).toBeLessThan(1e-9);
    }
  });

  it("MemTorch, passive 8 × 8 with R_source = R_line = 1 Ω, to its single precision", () => {
    const key = "solve_passive 8x8 LCG seed 1";
    const [row] =
      oracle<Record<string, readonly { readonly memtorch: readonly number[] }[]>>("memtorch_misc.json")[key]!;
    const one = circuits().find(({ name }) => name === "lcg-8x8-seed1")!;
    const matrix = effectiveMatrix(one.siemens, 8, 8, { wordLineOhm: 1, bitLineOhm: 1 });
    expect(distance(times(matrix, one.volts[0]!, 8), row!.memtorch)).toBeLessThan(1e-6);
  });
});

describe("effectiveMatrix", () => {
  it("is by hand 1 / (1 + 100 + 2) S for one device of 100 Ω between 1 Ω and 2 Ω", () => {
    const [siemens] = effectiveMatrix([0.01], 1, 1, { wordLineOhm: 1, bitLineOhm: 2 });
    expect(siemens! * 103).toBeCloseTo(1, 14);
  });

  it("is the conductances themselves without resistance", () => {
    const siemens = random(5, 7);
    expect([...effectiveMatrix(siemens, 5, 7, { wordLineOhm: 0, bitLineOhm: 0 })]).toEqual([...siemens]);
  });

  // Tall ones are solved with drivers and grounds exchanged; nodeVoltages never is.
  it.each([
    [3, 9],
    [9, 3],
    [1, 6],
    [6, 1],
    [13, 13],
  ])("is the solution of all nodes, %i outputs × %i inputs, and Kirchhoff's law holds at them", (outputs, inputs) => {
    const siemens = random(outputs, inputs);
    const circuit = { wordLineOhm: 20, bitLineOhm: 7 };
    const volts = Array.from({ length: inputs }, (_, i) => 0.2 * Math.cos(i + 1));
    const { wordLine, deviceAmperes, outputAmperes } = nodeVoltages(siemens, outputs, inputs, circuit, volts);
    const matrix = effectiveMatrix(siemens, outputs, inputs, circuit);
    expect(distance(times(matrix, volts, outputs), outputAmperes)).toBeLessThan(1e-12);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        const at = (k: number) => (k < 0 ? volts[i]! : wordLine[k * inputs + i]!);
        const on = j + 1 < outputs ? (at(j) - at(j + 1)) / 20 : 0;
        // Differences of 0.2 V known to 3e-17, over 20 Ω.
        expect(Math.abs((at(j - 1) - at(j)) / 20 - on - deviceAmperes[j * inputs + i]!)).toBeLessThan(1e-16);
      }
    }
  });

  it("has the same bits on the plain loops and on SIMD, also where four does not divide the sides", () => {
    const siemens = random(21, 18);
    const circuit = { wordLineOhm: 1, bitLineOhm: 0.35 };
    const simd = effectiveMatrix(siemens, 21, 18, circuit, "simd");
    expect(simd).toEqual(effectiveMatrix(siemens, 21, 18, circuit, "reference"));
  });

  it.each([
    [{ wordLineOhm: -1, bitLineOhm: 0 }, "wordLineOhm: expected a finite number ≥ 0, got -1"],
    [{ wordLineOhm: 0, bitLineOhm: Number.NaN }, "bitLineOhm: expected a finite number ≥ 0, got NaN"],
  ])("refuses %o", (circuit, sentence) => {
    expect(() => effectiveMatrix([1], 1, 1, circuit)).toThrow(sentence);
  });
  it("refuses conductances that are not those of the crossbar", () => {
    const circuit = { wordLineOhm: 1, bitLineOhm: 1 };
    expect(() => effectiveMatrix([1, 2, 3], 2, 2, circuit)).toThrow("siemens: expected [2 × 2] numbers, got 3");
  });
});

describe("nonlinearNodeVoltages", () => {
  const [outputs, inputs] = [8, 12];
  const siemens = random(outputs, inputs, 3).map((g) => 50e-6 + 7 * g);
  const circuit = { wordLineOhm: 15, bitLineOhm: 10 };
  const volts = Array.from({ length: inputs }, (_, i) => 0.5 * Math.cos(i));

  it("gives the linear answer for linear devices", () => {
    const linear = nodeVoltages(siemens, outputs, inputs, circuit, volts);
    const solved = nonlinearNodeVoltages(
      (d, v) => ({ amperes: siemens[d]! * v, siemens: siemens[d]! }),
      outputs,
      inputs,
      circuit,
      volts,
    );
    expect(distance(solved.outputAmperes, linear.outputAmperes)).toBeLessThan(1e-12);
  });

  it("leaves each device of rram-milo-2021 on its curve, and Kirchhoff's law at each node, to 1e-12 A", () => {
    const current = (d: number, v: number) => currentAt(rramMilo2021.currentCoefficients!(siemens[d]!), v).amperes;
    const { wordLine, bitLine, deviceAmperes, outputAmperes } = nonlinearNodeVoltages(
      (d, v) => ({ amperes: current(d, v), siemens: (current(d, v + 1e-6) - current(d, v - 1e-6)) / 2e-6 }),
      outputs,
      inputs,
      circuit,
      volts,
    );
    const linear = nodeVoltages(siemens, outputs, inputs, circuit, volts);
    expect(distance(outputAmperes, linear.outputAmperes)).toBeGreaterThan(0.01); // the curve matters
    for (let d = 0; d < siemens.length; d++) {
      expect(Math.abs(deviceAmperes[d]! - current(d, wordLine[d]! - bitLine[d]!))).toBeLessThan(1e-12);
    }
    for (let j = 0; j < outputs; j++) {
      const intoGround = bitLine[j * inputs + inputs - 1]! / circuit.bitLineOhm;
      expect(Math.abs(intoGround - outputAmperes[j]!)).toBeLessThan(1e-12);
    }
  });
});
