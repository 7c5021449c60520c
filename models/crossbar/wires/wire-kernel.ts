import type { Arena } from "../kernels/arena.ts";
import { wiresWasm } from "../kernels/wires.wasm.gen.ts";

/** The two loops that an effective matrix costs. Both kernels give the same bits. */
export interface WireKernel {
  readonly name: "reference" | "simd";
  /**
   * Invert a symmetric positive definite matrix [n × n] in place, by n sweeps of Gauss and Jordan over its lower half.
   * About n³/2 multiplications.
   *
   * @param row room for n numbers
   */
  invertSymmetric(a: Float64Array, n: number, row: Float64Array): void;
  /** `out = rows · q` for `count` rows [· × n] and q [n × n]; out is another array than rows. */
  multiplyRows(rows: Float64Array, q: Float64Array, out: Float64Array, count: number, n: number): void;
}

/** The loops in plain TypeScript. */
export const referenceWires: WireKernel = {
  name: "reference",
  invertSymmetric(a, n, row) {
    for (let k = 0; k < n; k++) {
      const pivot = a[k * n + k]!;
      for (let j = 0; j < k; j++) row[j] = a[k * n + j]!;
      for (let j = k + 1; j < n; j++) row[j] = a[j * n + k]!;
      const inverse = 1 / pivot;
      for (let i = 0; i < n; i++) {
        if (i === k) continue;
        const factor = row[i]! * inverse;
        const at = i * n;
        // Entries of column k and of row k are set below.
        for (let j = 0; j <= i; j++) a[at + j] = a[at + j]! - factor * row[j]!;
      }
      // Swept entries keep their sign: after all sweeps the matrix is −A⁻¹.
      for (let j = 0; j < k; j++) a[k * n + j] = row[j]! * inverse;
      for (let i = k + 1; i < n; i++) a[i * n + k] = row[i]! * inverse;
      a[k * n + k] = -inverse;
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const value = -a[i * n + j]!;
        a[i * n + j] = value;
        a[j * n + i] = value;
      }
    }
  },
  multiplyRows(rows, q, out, count, n) {
    for (let r = 0; r < count; r++) {
      const y = out.subarray(r * n, (r + 1) * n).fill(0);
      for (let i = 0; i < n; i++) {
        const x = rows[r * n + i]!;
        for (let k = 0; k < n; k++) y[k] = y[k]! + x * q[i * n + k]!;
      }
    }
  },
};

interface Exports {
  invertSymmetric(a: number, n: number, row: number): void;
  multiplyRows(rows: number, q: number, out: number, count: number, n: number): void;
}

const compiled = new WebAssembly.Module(Buffer.from(wiresWasm, "base64"));

/** The loops of `kernels/assembly/wires.ts`. Arrays must be cut from `arena`. */
export const simdWires = (arena: Arena): WireKernel => {
  const exports = new WebAssembly.Instance(compiled, { env: { memory: arena.memory } }).exports as unknown as Exports;
  return {
    name: "simd",
    invertSymmetric: (a, n, row) => exports.invertSymmetric(a.byteOffset, n, row.byteOffset),
    multiplyRows: (rows, q, out, count, n) =>
      exports.multiplyRows(rows.byteOffset, q.byteOffset, out.byteOffset, count, n),
  };
};
