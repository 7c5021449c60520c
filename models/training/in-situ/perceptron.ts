import type { TrainedMatrix } from "./trained-matrix.ts";

/** Digital biases beside a matrix that learns in place. */
interface Layer {
  readonly matrix: TrainedMatrix;
  readonly bias: Float32Array;
  readonly y: Float32Array;
  readonly delta: Float32Array;
}

/**
 * Layers of matrices that learn in place, one sample at a time: relu between them, softmax and cross-entropy at the
 * end. Biases are digital.
 */
export class Perceptron {
  readonly #layers: readonly Layer[];

  /** @throws RangeError when a matrix does not take what the one before gives */
  constructor(matrices: readonly TrainedMatrix[]) {
    for (const [i, { inputs }] of matrices.entries()) {
      const before = matrices[i - 1]?.outputs ?? inputs;
      if (inputs !== before) throw new RangeError(`matrices[${i}]: expected ${before} inputs, got ${inputs}`);
    }
    this.#layers = matrices.map((matrix) => {
      const make = () => new Float32Array(matrix.outputs);
      return { matrix, bias: make(), y: make(), delta: make() };
    });
  }

  /** The scores of a sample, before softmax. The array is used again by the next call. */
  infer(x: Float32Array): Float32Array {
    let input = x;
    for (const [l, { matrix, bias, y }] of this.#layers.entries()) {
      matrix.multiply(input, y);
      const last = l === this.#layers.length - 1;
      for (let o = 0; o < y.length; o++) {
        const sum = y[o]! + bias[o]!;
        y[o] = last || sum > 0 ? sum : 0;
      }
      input = y;
    }
    return input;
  }

  /** Learn from one sample; returns whether it was classified right before. */
  learn(x: Float32Array, label: number, rate: number): boolean {
    const y = this.infer(x);
    const last = this.#layers.at(-1)!;
    const best = y.reduce((most, value, o) => (value > y[most]! ? o : most), 0);
    let sum = 0;
    for (let o = 0; o < y.length; o++) sum += Math.exp(y[o]! - y[best]!);
    for (let o = 0; o < y.length; o++) last.delta[o] = Math.exp(y[o]! - y[best]!) / sum - (o === label ? 1 : 0);
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      const { matrix, bias, delta } = this.#layers[l]!;
      const before = this.#layers[l - 1];
      if (before) {
        matrix.multiplyBack(delta, before.delta);
        for (let i = 0; i < before.y.length; i++) if (before.y[i]! <= 0) before.delta[i] = 0;
      }
      matrix.update(before?.y ?? x, delta, rate);
      for (let o = 0; o < bias.length; o++) bias[o]! -= rate * delta[o]!;
    }
    return best === label;
  }
}
