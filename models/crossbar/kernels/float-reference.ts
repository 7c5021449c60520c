import type { FloatKernel } from "./float-kernel.ts";

/** The oracle of the SIMD kernel: three loops, sums in double precision. Takes arrays from anywhere. */
export const floatReference: FloatKernel = {
  name: "reference",
  gemmNT: (a, b, c, m, n, k, accumulate) =>
    product(
      c,
      m,
      n,
      k,
      accumulate,
      (i, p) => a[i * k + p]!,
      (p, j) => b[j * k + p]!,
    ),
  gemmNN: (a, b, c, m, n, k, accumulate) =>
    product(
      c,
      m,
      n,
      k,
      accumulate,
      (i, p) => a[i * k + p]!,
      (p, j) => b[p * n + j]!,
    ),
  gemmTN: (a, b, c, m, n, k, accumulate) =>
    product(
      c,
      m,
      n,
      k,
      accumulate,
      (i, p) => a[p * m + i]!,
      (p, j) => b[p * n + j]!,
    ),
};

const product = (
  c: Float32Array,
  m: number,
  n: number,
  k: number,
  accumulate: 0 | 1,
  a: (i: number, p: number) => number,
  b: (p: number, j: number) => number,
): void => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = accumulate ? c[i * n + j]! : 0;
      for (let p = 0; p < k; p++) sum += a(i, p) * b(p, j);
      c[i * n + j] = sum;
    }
  }
};
