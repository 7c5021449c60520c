import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { Parameters } from "./parameters.ts";

/** Which optimiser: AdamW, or stochastic gradient descent with momentum. */
export type OptimiserKind = "adamw" | "sgd";

/** Changes the values by `gradient`, a block like the parameters', in step 0, 1, 2 … Returns the gradient's norm. */
export interface Optimiser {
  step(gradient: Float32Array, step: number): number;
}

/** Settings of both; of AdamW β₁ = 0.9, β₂ = 0.999, ε = 1e-8 as in Kingma and Ba (2015). */
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

/** How long the gradient is, and by what it is scaled to be no longer than `clipNorm`. @throws RangeError */
const measure = (
  gradient: Float32Array,
  step: number,
  loops: LoopKernel,
  clipNorm: number,
): { norm: number; scale: number } => {
  const norm = Math.sqrt(loops.sumSquares(gradient.byteOffset, gradient.length));
  if (!Number.isFinite(norm)) {
    throw new RangeError(`gradient: expected finite numbers in step ${step}, got a norm of ${norm}`);
  }
  return { norm, scale: clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1 };
};

/**
 * Stochastic gradient descent with momentum (Polyak, 1964) and weight decay apart from it:
 *
 *   v ← μ v + g        w ← w − rate (v + decay · w)
 *
 * `velocity` is as long as the parameters' blocks.
 */
export class MomentumSgd implements Optimiser {
  readonly #parameters: Parameters;
  readonly #loops: LoopKernel;
  readonly #options: OptimiserOptions;
  readonly #velocity: Float32Array;
  readonly #momentum: number;

  constructor(
    parameters: Parameters,
    velocity: Float32Array,
    loops: LoopKernel,
    options: OptimiserOptions & { readonly momentum: number },
  ) {
    this.#parameters = parameters;
    this.#velocity = velocity;
    this.#loops = loops;
    this.#options = options;
    this.#momentum = options.momentum;
  }

  step(gradient: Float32Array, step: number): number {
    const rate = learningRateAt(step, this.#options);
    const { norm, scale } = measure(gradient, step, this.#loops, this.#options.clipNorm);
    const [velocity, momentum] = [this.#velocity, this.#momentum];
    const base = this.#parameters.value.byteOffset;
    for (const { value, role, length } of this.#parameters.parameters) {
      const at = (value.byteOffset - base) / 4;
      const decay = role === "weight" ? this.#options.weightDecay : 0;
      for (let i = 0; i < length; i++) {
        velocity[at + i] = momentum * velocity[at + i]! + scale * gradient[at + i]!;
        value[i] = value[i]! - rate * (velocity[at + i]! + decay * value[i]!);
      }
    }
    return norm;
  }
}

/**
 * AdamW (Loshchilov and Hutter, 2019) with a cosine schedule and clipping by the norm of the whole gradient.
 * `first` and `second` are its moments, as long as the parameters' blocks and from the same arena.
 */
export class AdamW implements Optimiser {
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

  step(gradient: Float32Array, step: number): number {
    const rate = learningRateAt(step, this.#options);
    const { weightDecay, clipNorm } = this.#options;
    const { norm, scale } = measure(gradient, step, this.#loops, clipNorm);
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
