import { Arena } from "../kernels/arena.ts";
import { BitLine, checkCircuit, type WireCircuit } from "./circuit.ts";
import { simdWires } from "./wire-kernel.ts";

/** Voltages and currents everywhere in a crossbar, all [outputs × inputs]. */
export interface NodeVoltages {
  /** Of the word lines' nodes, V. */
  readonly wordLine: Float64Array;
  /** Of the bit lines' nodes, V. */
  readonly bitLine: Float64Array;
  /** Through the devices, A. */
  readonly deviceAmperes: Float64Array;
  /** Into ground, A, [outputs]. */
  readonly outputAmperes: Float64Array;
}

/** Current through a device for a voltage across it, A, and its slope, S. */
export type DeviceCurve = (device: number, volts: number) => { readonly amperes: number; readonly siemens: number };

/**
 * Solve a crossbar of linear devices, one a node, for one vector of voltages.
 *
 * @param siemens conductances [outputs × inputs]
 * @param volts of the drivers, [inputs]
 * @throws RangeError when lengths or resistances cannot be
 */
export const nodeVoltages = (
  siemens: ArrayLike<number>,
  outputs: number,
  inputs: number,
  circuit: WireCircuit,
  volts: ArrayLike<number>,
): NodeVoltages => {
  checkCircuit(siemens, outputs, inputs, circuit);
  return solveOnce(siemens, new Float64Array(outputs * inputs), outputs, inputs, circuit, volts);
};

const mostSteps = 50;

/**
 * Solve a crossbar of devices with any rising curve, by Newton's method: each step is the exact solution of the circuit
 * with the devices replaced by their tangents. Linear devices take one step.
 *
 * @throws RangeError as `nodeVoltages`, and when 50 steps do not bring all voltages to within 1 nV of their last values
 */
export const nonlinearNodeVoltages = (
  curve: DeviceCurve,
  outputs: number,
  inputs: number,
  circuit: WireCircuit,
  volts: ArrayLike<number>,
): NodeVoltages => {
  const size = outputs * inputs;
  const across = Float64Array.from({ length: size }, (_, d) => volts[d % inputs]!);
  const siemens = new Float64Array(size);
  const sources = new Float64Array(size);
  checkCircuit(siemens, outputs, inputs, circuit);
  for (let step = 0; step < mostSteps; step++) {
    for (let d = 0; d < size; d++) {
      const { amperes, siemens: slope } = curve(d, across[d]!);
      siemens[d] = slope;
      sources[d] = amperes - slope * across[d]!;
    }
    const solved = solveOnce(siemens, sources, outputs, inputs, circuit, volts);
    let change = 0;
    for (let d = 0; d < size; d++) {
      const next = solved.wordLine[d]! - solved.bitLine[d]!;
      change = Math.max(change, Math.abs(next - across[d]!));
      across[d] = next;
    }
    if (change < 1e-9) return solved;
  }
  throw new RangeError(`curve: expected voltages that settle within ${mostSteps} steps, got none`);
};

/**
 * One linear circuit: devices of `siemens` with a current source `sources` beside each, from word to bit line.
 *
 *   B_j = T⁻¹ (G W_j + s_j)
 *   W_j = Q_j (W_{j−1} + h_j)                      W of none: the drivers
 *   h_j = Q_{j+1} h_{j+1} + r (G T⁻¹ s_j − s_j)
 */
const solveOnce = (
  siemens: ArrayLike<number>,
  sources: Float64Array,
  outputs: number,
  n: number,
  { wordLineOhm, bitLineOhm }: WireCircuit,
  volts: ArrayLike<number>,
): NodeVoltages => {
  const arena = new Arena(8 * (outputs * n * n + 4 * n) + 8192);
  const kernel = simdWires(arena);
  const bitLine = new BitLine(n, { wordLineOhm, bitLineOhm });
  const rest = arena.float64(n * n);
  const row = arena.float64(n);
  const behind = arena.float64(n);
  const product = arena.float64(n);
  const scratch = new Float64Array(n);
  const qs: Float64Array[] = [];
  const hs: Float64Array[] = [];
  for (let j = outputs - 1; j >= 0; j--) {
    const q = j === 0 ? rest : arena.float64(n * n);
    bitLine.take(siemens, j * n);
    bitLine.addTo(siemens, j * n, wordLineOhm, rest, scratch);
    for (let k = 0; k < n; k++) rest[k * n + k] = rest[k * n + k]! + 1;
    kernel.invertSymmetric(rest, n, row);
    bitLine.solve(sources.slice(j * n, (j + 1) * n), scratch, 0);
    for (let i = 0; i < n; i++) {
      behind[i] = behind[i]! + wordLineOhm * (siemens[j * n + i]! * scratch[i]! - sources[j * n + i]!);
    }
    hs[j] = behind.slice();
    kernel.multiplyRows(behind, rest, product, 1, n);
    behind.set(product);
    qs[j] = q;
    if (j === 0) break;
    q.set(rest);
    for (let i = 0; i < n * n; i++) rest[i] = -rest[i]!;
    for (let k = 0; k < n; k++) rest[k * n + k] = rest[k * n + k]! + 1;
  }
  const wordLine = new Float64Array(outputs * n);
  const bitLines = new Float64Array(outputs * n);
  const deviceAmperes = new Float64Array(outputs * n);
  const outputAmperes = new Float64Array(outputs);
  behind.set(Float64Array.from({ length: n }, (_, i) => volts[i]!));
  for (let j = 0; j < outputs; j++) {
    for (let i = 0; i < n; i++) behind[i] = behind[i]! + hs[j]![i]!;
    kernel.multiplyRows(behind, qs[j]!, product, 1, n);
    behind.set(product);
    wordLine.set(product, j * n);
    bitLine.take(siemens, j * n);
    for (let i = 0; i < n; i++) scratch[i] = siemens[j * n + i]! * product[i]! + sources[j * n + i]!;
    bitLine.solve(scratch, bitLines, j * n);
    for (let d = j * n; d < (j + 1) * n; d++) {
      deviceAmperes[d] = siemens[d]! * (wordLine[d]! - bitLines[d]!) + sources[d]!;
      outputAmperes[j] = outputAmperes[j]! + deviceAmperes[d]!;
    }
  }
  return { wordLine, bitLine: bitLines, deviceAmperes, outputAmperes };
};
