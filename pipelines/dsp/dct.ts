/**
 * The first rows of the orthonormal DCT-II: `X[k] = c_k Σ x[n] cos(π k (2n + 1) / 2N)`, c₀ = √(1/N), else √(2/N).
 * With all N rows the matrix is orthogonal: energy stays, and the transpose takes it back.
 */
export class Dct {
  readonly points: number;
  readonly coefficients: number;
  /** [coefficients × points] */
  readonly matrix: Float64Array;

  /** @throws RangeError unless 1 ≤ coefficients ≤ points. */
  constructor(points: number, coefficients: number) {
    if (!(Number.isInteger(coefficients) && coefficients >= 1 && coefficients <= points)) {
      throw new RangeError(`coefficients: expected an integer in 1 … ${points}, got ${coefficients}`);
    }
    this.points = points;
    this.coefficients = coefficients;
    this.matrix = new Float64Array(coefficients * points);
    for (let k = 0; k < coefficients; k++) {
      const gain = Math.sqrt((k === 0 ? 1 : 2) / points);
      for (let n = 0; n < points; n++) {
        this.matrix[k * points + n] = gain * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * points));
      }
    }
  }

  /** Write the coefficients of `values` [points], starting at `from`, into `out` starting at `to`. */
  applyInto(values: ArrayLike<number>, from: number, out: Float32Array, to: number): void {
    for (let k = 0; k < this.coefficients; k++) {
      let sum = 0;
      for (let n = 0; n < this.points; n++) sum += this.matrix[k * this.points + n]! * values[from + n]!;
      out[to + k] = sum;
    }
  }
}
