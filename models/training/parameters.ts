import type { Arena } from "../crossbar/kernels/arena.ts";

/** One array of trained numbers: views that `Parameters.allocate` sets, all at the same place of their blocks. */
export interface Parameter {
  readonly name: string;
  readonly length: number;
  /** `weight`: on the crossbar, decays, is noisy, is clipped. `other`: biases, scales and shifts. */
  readonly role: "weight" | "other";
  /** Of weights: how many outputs, and whether the numbers of one output lie side by side or `outputs` apart. */
  readonly layout: Layout | undefined;
  /** The batch normalisation after it, which is folded into the weights before they go to the crossbar. */
  fold: Fold | undefined;
  /** The clean values that the optimiser changes. */
  value: Float32Array;
  /** What forward and backward use: the values, with noise where training is hardware-aware. */
  used: Float32Array;
  gradient: Float32Array;
}

export interface Layout {
  readonly outputs: number;
  readonly order: "outputs first" | "outputs last";
}

/** Weights of output o go to the crossbar times `γ_o / √(variance_o + ε)`. */
export interface Fold {
  readonly gamma: Parameter;
  readonly variance: Statistic;
  readonly epsilon: number;
}

/** Numbers that training measures and inference uses: means, variances, ranges. Not trained by gradients. */
export interface Statistic {
  readonly name: string;
  readonly length: number;
  readonly initial: number;
  /** The running mean over batches. */
  running: Float32Array;
  /** Of the last batch. */
  batch: Float32Array;
}

/**
 * All trained numbers of a network, in blocks that lie in one piece each, so that optimiser, checkpoints and
 * threads handle a network as a few flat arrays. Layers declare while they are built, `allocate` then cuts.
 */
export class Parameters {
  readonly #parameters: Parameter[] = [];
  readonly #statistics: Statistic[] = [];
  value: Float32Array = new Float32Array();
  used: Float32Array = new Float32Array();
  gradient: Float32Array = new Float32Array();
  running: Float32Array = new Float32Array();
  batch: Float32Array = new Float32Array();

  /** Biases, scales and shifts have no layout. */
  declare(name: string, length: number, layout?: Layout): Parameter {
    const empty = new Float32Array();
    const role = layout ? "weight" : "other";
    const parameter: Parameter = {
      ...{ name, length, role, layout, fold: undefined },
      ...{ value: empty, used: empty, gradient: empty },
    };
    this.#parameters.push(parameter);
    return parameter;
  }

  declareStatistic(name: string, length: number, initial: number): Statistic {
    const statistic = { name, length, initial, running: new Float32Array(), batch: new Float32Array() };
    this.#statistics.push(statistic);
    return statistic;
  }

  get parameters(): readonly Parameter[] {
    return this.#parameters;
  }
  get statistics(): readonly Statistic[] {
    return this.#statistics;
  }
  /** Floats of each block of parameters: every array starts at a multiple of four. */
  get length(): number {
    return total(this.#parameters);
  }
  get statisticsLength(): number {
    return total(this.#statistics);
  }

  /** Cut the blocks. `noisy`: forward and backward get a block of their own instead of the values. */
  allocate(arena: Pick<Arena, "float32">, noisy: boolean): void {
    this.value = arena.float32(this.length);
    this.used = noisy ? arena.float32(this.length) : this.value;
    this.gradient = arena.float32(this.length);
    this.running = arena.float32(this.statisticsLength);
    this.batch = arena.float32(this.statisticsLength);
    if (this.value.length < this.length) return; // only counted
    let at = 0;
    for (const parameter of this.#parameters) {
      const end = at + parameter.length;
      parameter.value = this.value.subarray(at, end);
      parameter.used = this.used.subarray(at, end);
      parameter.gradient = this.gradient.subarray(at, end);
      at += padded(parameter.length);
    }
    at = 0;
    for (const statistic of this.#statistics) {
      statistic.running = this.running.subarray(at, at + statistic.length).fill(statistic.initial);
      statistic.batch = this.batch.subarray(at, at + statistic.length);
      at += padded(statistic.length);
    }
  }
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;

const total = (arrays: readonly { readonly length: number }[]): number =>
  arrays.reduce((sum, { length }) => sum + padded(length), 0);
