import { Arena } from "../kernels/arena.ts";
import { BitLine, checkCircuit, type WireCircuit } from "./circuit.ts";
import { referenceWires, simdWires } from "./wire-kernel.ts";

/**
 * The exact product of a crossbar with resistive wires: as its devices and wires are linear, the currents are
 * `I = G_eff V`, whatever V. Costs as much as some hundred thousand products, once for each state of the devices.
 *
 * Each bit line is eliminated first (`BitLine`); then the word lines, from their far end, output by output:
 *
 *   Q_j   = (1 + r M_j + (1 − Q_{j+1}))⁻¹        voltages W_j = Q_j W_{j−1}, r = wordLineOhm; Q of none is 1
 *   G_eff = rows c_j Q_j … Q_1 Q_0
 *
 * Exact but for rounding: against badcrossbar's nodal analysis to 1e-9. A crossbar of one device a node is reciprocal:
 * with more inputs than outputs it is solved with drivers and grounds exchanged, on the smaller matrices.
 *
 * @param siemens conductances [outputs × inputs], ≥ 0; 0 is no device
 * @returns [outputs × inputs], S
 * @throws RangeError when lengths or resistances cannot be
 */
export const effectiveMatrix = (
  siemens: ArrayLike<number>,
  outputs: number,
  inputs: number,
  circuit: WireCircuit,
  kernel: "reference" | "simd" = "simd",
): Float64Array => {
  checkCircuit(siemens, outputs, inputs, circuit);
  if (inputs <= outputs || circuit.devicesPerNode === 2) return solve(siemens, outputs, inputs, circuit, kernel);
  const { wordLineOhm, bitLineOhm } = circuit;
  const exchanged = { wordLineOhm: bitLineOhm, bitLineOhm: wordLineOhm };
  const solved = solve(turned(siemens, outputs, inputs), inputs, outputs, exchanged, kernel);
  return turned(solved, inputs, outputs);
};

/** Rows and columns exchanged, both from the other end: where the driver of a word line was is now ground. */
const turned = (values: ArrayLike<number>, rows: number, columns: number): Float64Array => {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[(columns - 1 - c) * rows + (rows - 1 - r)] = values[r * columns + c]!;
  }
  return out;
};

const solve = (
  siemens: ArrayLike<number>,
  outputs: number,
  n: number,
  circuit: WireCircuit,
  kernelName: "reference" | "simd",
): Float64Array => {
  const { wordLineOhm } = circuit;
  const arena = new Arena(8 * (2 * outputs * n + n * n + n) + 4096);
  const kernel = kernelName === "simd" ? simdWires(arena) : referenceWires;
  const bitLine = new BitLine(n, circuit);
  const rows = arena.float64(outputs * n); // of G_eff, the last output first, multiplied so far
  const product = arena.float64(outputs * n);
  const rest = arena.float64(n * n); // 1 − Q of the output behind
  const row = arena.float64(n);
  const reached = new Float64Array(n);
  for (let done = 0; done < outputs; done++) {
    const from = (outputs - 1 - done) * n;
    bitLine.take(siemens, from);
    bitLine.addTo(siemens, from, wordLineOhm, rest, reached);
    rows.set(reached, done * n);
    if (wordLineOhm === 0) {
      rest.fill(0);
      continue;
    }
    for (let k = 0; k < n; k++) rest[k * n + k] = rest[k * n + k]! + 1;
    kernel.invertSymmetric(rest, n, row);
    kernel.multiplyRows(rows, rest, product, done + 1, n);
    rows.set(product.subarray(0, (done + 1) * n));
    for (let i = 0; i < n * n; i++) rest[i] = -rest[i]!;
    for (let k = 0; k < n; k++) rest[k * n + k] = rest[k * n + k]! + 1;
  }
  const result = new Float64Array(outputs * n);
  for (let j = 0; j < outputs; j++) result.set(rows.subarray((outputs - 1 - j) * n, (outputs - j) * n), j * n);
  return result;
};
