import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { Parameters } from "./parameters.ts";

/** Settings of AdamW; β₁ = 0.9, β₂ = 0.999, ε = 1e-8 as in Kingma and Ba (2015). */
export interface OptimiserOptions {
  /** Largest learning rate, after the warm-up. */
  readonly learningRate: number;
  /** Part of a weight that decays in a step at learning rate 1; biases, scales and shifts do not decay. */
  readonly weightDecay: number;
  /** A gradient longer than this is shortened to it; 0: never. */
  readonly clipNorm: number;
  readonly steps: number;
  readonly warmupSteps: number;
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** The learning rate of a step 0 … steps − 1: linear warm-up, then half a cosine down to 0. */
export const learningRateAt = (step: number, options: OptimiserOptions): number => {
  const { learningRate, steps, warmupSteps } = options;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  const part = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return learningRate * 0.5 * (1 + Math.cos(Math.PI * part));
};

/**
 * AdamW (Loshchilov and Hutter, 2019) with a cosine schedule and clipping by the norm of the whole gradient.
 * `first` and `second` are its moments, as long as the parameters' blocks and from the same arena.
 */
export class AdamW {
  readonly #parameters: Parameters;
  readonly #loops: LoopKernel;
  readonly #options: OptimiserOptions;
  readonly #first: Float32Array;
  readonly #second: Float32Array;

  constructor(
    parameters: Parameters,
    moments: { readonly first: Float32Array; readonly second: Float32Array },
    loops: LoopKernel,
    options: OptimiserOptions,
  ) {
    this.#parameters = parameters;
    this.#first = moments.first;
    this.#second = moments.second;
    this.#loops = loops;
    this.#options = options;
  }

  /** Change the values by `gradient`, a block like the parameters', in step 0, 1, 2 … Returns the gradient's norm. */
  step(gradient: Float32Array, step: number): number {
    const rate = learningRateAt(step, this.#options);
    const { weightDecay, clipNorm } = this.#options;
    const norm = Math.sqrt(this.#loops.sumSquares(gradient.byteOffset, gradient.length));
    if (!Number.isFinite(norm)) {
      throw new RangeError(`gradient: expected finite numbers in step ${step}, got a norm of ${norm}`);
    }
    const scale = clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
    const corrected = rate / (1 - beta1 ** (step + 1));
    const base = this.#parameters.value.byteOffset;
    for (const { value, role, length } of this.#parameters.parameters) {
      const at = value.byteOffset - base;
      this.#loops.adam(
        value.byteOffset,
        gradient.byteOffset + at,
        this.#first.byteOffset + at,
        this.#second.byteOffset + at,
        length,
        scale,
        corrected,
        role === "weight" ? rate * weightDecay : 0,
        beta1,
        beta2,
        1 / (1 - beta2 ** (step + 1)),
        epsilon,
      );
    }
    return norm;
  }
}
