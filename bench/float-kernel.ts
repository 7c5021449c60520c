import { Arena } from "../models/crossbar/kernels/arena.ts";
import type { FloatKernel } from "../models/crossbar/kernels/float-kernel.ts";
import { floatSimd } from "../models/crossbar/kernels/float-simd.ts";
import { SequentialRandom } from "../models/random.ts";

/** Print the speed of the three products of the SIMD kernel, in GFLOP/s, and the ratio to plain JavaScript loops. */
export const run = (): void => {
  for (const [m, n, k] of [
    [125, 64, 64],
    [49, 48, 432],
    [500, 512, 512],
    [127, 65, 63],
  ] as const) {
    for (const product of ["gemmNT", "gemmNN", "gemmTN"] as const) {
      const arena = new Arena(8e6);
      const random = new SequentialRandom(1);
      const matrices = [m * k, n * k, m * n].map((length) => {
        const matrix = arena.float32(length);
        for (let i = 0; i < length; i++) matrix[i] = random.uniform() - 0.5;
        return matrix;
      }) as [Float32Array, Float32Array, Float32Array];
      const simd = floatSimd(arena);
      const best: Record<string, number> = { simd: Infinity, plain: Infinity };
      for (let round = 0; round < 7; round++) {
        for (const [name, kernel, calls] of [
          ["simd", simd, Math.ceil(2e8 / (m * n * k))],
          ["plain", plain, Math.ceil(2e7 / (m * n * k))],
        ] as const) {
          const start = performance.now();
          for (let call = 0; call < calls; call++) kernel[product](...matrices, m, n, k, 0);
          best[name] = Math.min(best[name]!, (performance.now() - start) / calls);
        }
      }
      const speed = (2e-6 * m * n * k) / best["simd"]!;
      const ratio = best["plain"]! / best["simd"]!;
      console.log(`${product} ${m}x${n}x${k}: ${speed.toFixed(1)} GFLOP/s, ${ratio.toFixed(1)} x plain JavaScript`);
    }
  }
};

/** What one writes without WebAssembly: the inner loop over rows in memory order, typed arrays, single precision. */
const plain: Pick<FloatKernel, "gemmNT" | "gemmNN" | "gemmTN"> = {
  gemmNT: (a, b, c, m, n, k) => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[j * k + p]!;
        c[i * n + j] = sum;
      }
    }
  },
  gemmNN: (a, b, c, m, n, k) => {
    c.fill(0);
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        const x = a[i * k + p]!;
        for (let j = 0; j < n; j++) c[i * n + j]! += x * b[p * n + j]!;
      }
    }
  },
  gemmTN: (a, b, c, m, n, k) => {
    c.fill(0);
    for (let p = 0; p < k; p++) {
      for (let i = 0; i < m; i++) {
        const x = a[p * m + i]!;
        for (let j = 0; j < n; j++) c[i * n + j]! += x * b[p * n + j]!;
      }
    }
  },
};
