/**
 * Products of Float32 matrices, for digital inference and training. All arrays are row-major and, for the
 * `simd` kernel, cut from the arena that the kernel was made with.
 */
export interface FloatKernel {
  readonly name: "reference" | "simd";
  /** `C[m×n] = A[m×k] · B[n×k]ᵀ`: activations by a weight matrix [outputs × inputs]; adds to C where `accumulate`. */
  gemmNT(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number, accumulate: 0 | 1): void;
  /** `C[m×n] = A[m×k] · B[k×n]`: gradients back through a weight matrix. */
  gemmNN(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number, accumulate: 0 | 1): void;
  /** `C[m×n] = A[k×m]ᵀ · B[k×n]`: the gradient of a weight matrix. */
  gemmTN(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number, accumulate: 0 | 1): void;
}
