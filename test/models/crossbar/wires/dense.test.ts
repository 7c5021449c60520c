import { describe, expect, it } from "vitest";
import { currentAt } from "../../../../models/crossbar/devices/device.ts";
import { rramMilo2021 } from "../../../../models/crossbar/devices/rram-milo-2021.ts";
import { type DeviceCurve, nonlinearNodeVoltages } from "../../../../models/crossbar/wires/node-voltages.ts";
import { SequentialRandom } from "../../../../models/random.ts";

/** Solve a x = b by Gauss with the largest pivot; both are overwritten. */
const gauss = (a: number[][], b: number[]): number[] => {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[best]![k]!)) best = i;
    [a[k], a[best]] = [a[best]!, a[k]!];
    [b[k], b[best]] = [b[best]!, b[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j < n; j++) a[i]![j]! -= factor * a[k]![j]!;
      b[i]! -= factor * b[k]!;
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) b[k]! -= a[k]![j]! * b[j]!;
    b[k]! /= a[k]![k]!;
  }
  return b;
};

interface Wires {
  readonly wordLineOhm: number;
  readonly bitLineOhm: number;
}

/** Currents into ground by Newton on all nodes at once: one dense matrix with word and bit nodes, no structure used. */
const denseNewton = (curve: DeviceCurve, outputs: number, inputs: number, wires: Wires, volts: readonly number[]) => {
  const size = outputs * inputs;
  const [w, b] = [1 / wires.wordLineOhm, 1 / wires.bitLineOhm];
  const nodes = new Array<number>(2 * size).fill(0); // word node of device d = output · inputs + input, then bit nodes
  let residual = Infinity;
  for (let step = 0; step < 30; step++) {
    const jacobian = nodes.map(() => new Array<number>(2 * size).fill(0));
    const into = new Array<number>(2 * size).fill(0);
    const branch = (from: number, to: number, amperes: number, siemens: number) => {
      for (const [one, other, sign] of [
        [from, to, -1],
        [to, from, 1],
      ] as const) {
        if (one < 0) continue;
        into[one]! += sign * amperes;
        jacobian[one]![one]! -= siemens;
        if (other >= 0) jacobian[one]![other]! += siemens;
      }
    };
    for (let j = 0; j < outputs; j++) {
      for (let i = 0; i < inputs; i++) {
        const d = j * inputs + i;
        const before = j === 0 ? volts[i]! : nodes[d - inputs]!;
        branch(j === 0 ? -1 : d - inputs, d, w * (before - nodes[d]!), w);
        const bit = size + d;
        const { amperes, siemens } = curve(d, nodes[d]! - nodes[bit]!);
        branch(d, bit, amperes, siemens);
        const below = i === inputs - 1 ? 0 : nodes[bit + 1]!;
        branch(bit, i === inputs - 1 ? -1 : bit + 1, b * (nodes[bit]! - below), b);
      }
    }
    residual = Math.max(...into.map(Math.abs));
    if (residual < 1e-15) break;
    gauss(jacobian, into).forEach((change, k) => {
      nodes[k]! -= change;
    });
  }
  expect(residual).toBeLessThan(1e-13); // 0.5 V known to 1e-16, over 5 Ω, twice
  return Array.from({ length: outputs }, (_, j) => b * nodes[size + (j + 1) * inputs - 1]!);
};

describe("nonlinearNodeVoltages beside a dense Newton on all nodes", () => {
  const cubic = (siemens: ArrayLike<number>): DeviceCurve => {
    return (d, v) => {
      const g = siemens[d]!;
      return { amperes: g * v + 2 * g * v ** 3, siemens: g + 6 * g * v ** 2 };
    };
  };
  const milo = (siemens: ArrayLike<number>): DeviceCurve => {
    const current = (d: number, v: number) => currentAt(rramMilo2021.currentCoefficients!(siemens[d]!), v).amperes;
    return (d, v) => ({
      amperes: current(d, v),
      siemens: (current(d, v + 1e-6) - current(d, v - 1e-6)) / 2e-6,
    });
  };
  const circuits = [
    [1, 1],
    [2, 5],
    [5, 2],
    [6, 7],
  ] as const;
  const cases = circuits.flatMap(([outputs, inputs]) => [
    { name: "g v + 2 g v³", make: cubic, outputs, inputs },
    { name: "rram-milo-2021", make: milo, outputs, inputs },
  ]);

  it.each(cases)("$name, $outputs outputs × $inputs inputs: the same currents to 1e-12 A", (one) => {
    const { make, outputs, inputs } = one;
    const uniform = new SequentialRandom(11, [0, 0, 0]);
    const siemens = Float64Array.from({ length: outputs * inputs }, () => (50 + 175 * uniform.uniform()) * 1e-6);
    const volts = Array.from({ length: inputs }, () => uniform.uniform() - 0.5);
    const wires = { wordLineOhm: 15, bitLineOhm: 5 };
    const { outputAmperes } = nonlinearNodeVoltages(make(siemens), outputs, inputs, wires, volts);
    const dense = denseNewton(make(siemens), outputs, inputs, wires, volts);
    expect(Math.max(...dense.map(Math.abs))).toBeGreaterThan(1e-6);
    dense.forEach((amperes, j) => {
      expect(Math.abs(outputAmperes[j]! - amperes)).toBeLessThan(1e-12);
    });
  });
});
