import type { Node, Value } from "../../network/graph.ts";
import type { Shape } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Fold, Parameter, Statistic } from "../parameters.ts";

/**
 * Batch normalisation over all axes but the channels (Ioffe and Szegedy, 2015):
 * `y = γ (x − mean) / √(variance + ε) + β`, by the batch in training, by running means of both in inference.
 */
export class BatchNorm implements Layer {
  readonly outputShape: Shape;
  /** What folding this layer into the weights before it does. */
  readonly fold: Fold;
  readonly #name: string;
  readonly #channels: number;
  /** Rows of channels in a sample. */
  readonly #rows: number;
  readonly #epsilon: number;
  readonly #build: Build;
  readonly #gamma: Parameter;
  readonly #beta: Parameter;
  readonly #mean: Statistic;
  readonly #variance: Statistic;
  readonly #y: Float32Array;
  /** Three rows of channels for the factors of a pass. */
  readonly #p: Float32Array;
  readonly #q: Float32Array;
  readonly #s: Float32Array;
  #x: Float32Array = new Float32Array();

  constructor(name: string, inputShape: Shape, epsilon: number, build: Build) {
    const channels = inputShape.at(-1)!;
    this.#name = name;
    this.outputShape = inputShape;
    this.#channels = channels;
    this.#rows = inputShape.reduce((product, n) => product * n, 1) / channels;
    this.#epsilon = epsilon;
    this.#build = build;
    this.#gamma = build.parameters.declare(`${name}.gamma`, channels);
    this.#beta = build.parameters.declare(`${name}.beta`, channels);
    this.#mean = build.parameters.declareStatistic(`${name}.mean`, channels, 0);
    this.#variance = build.parameters.declareStatistic(`${name}.variance`, channels, 1);
    this.fold = { gamma: this.#gamma, variance: this.#variance, epsilon };
    this.#y = build.arena.float32(build.batch * this.#rows * channels);
    this.#p = build.arena.float32(channels);
    this.#q = build.arena.float32(channels);
    this.#s = build.arena.float32(channels);
  }

  forward(x: Float32Array, { count, training }: Pass): Float32Array {
    const { loops } = this.#build;
    const [rows, n] = [count * this.#rows, this.#channels];
    this.#x = x;
    if (training) {
      const [mean, variance] = [this.#mean.batch, this.#variance.batch];
      mean.fill(0);
      loops.sumRows(x.byteOffset, mean.byteOffset, rows, n);
      for (let j = 0; j < n; j++) mean[j]! /= rows;
      variance.fill(0);
      loops.sumSquaresRows(x.byteOffset, mean.byteOffset, variance.byteOffset, rows, n);
      for (let j = 0; j < n; j++) variance[j]! /= rows;
    }
    const [mean, variance] = training
      ? [this.#mean.batch, this.#variance.batch]
      : [this.#mean.running, this.#variance.running];
    for (let j = 0; j < n; j++) {
      this.#p[j] = this.#gamma.used[j]! / Math.sqrt(variance[j]! + this.#epsilon);
      this.#s[j] = this.#beta.used[j]! - mean[j]! * this.#p[j]!;
    }
    loops.scaleShift(x.byteOffset, this.#y.byteOffset, this.#p.byteOffset, this.#s.byteOffset, rows, n);
    return this.#y;
  }

  /** With N rows and x̂ = (x − mean)/σ: dx = γ/σ (dy − Σdy/N − x̂ Σ(dy x̂)/N), in place. */
  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { loops } = this.#build;
    const [rows, n] = [count * this.#rows, this.#channels];
    const [p, q, s, x] = [this.#p, this.#q, this.#s, this.#x.byteOffset];
    const [mean, variance] = [this.#mean.batch, this.#variance.batch];
    q.fill(0);
    s.fill(0);
    loops.sumRows(dy.byteOffset, s.byteOffset, rows, n);
    loops.sumProductRows(x, mean.byteOffset, dy.byteOffset, q.byteOffset, rows, n);
    for (let j = 0; j < n; j++) {
      const inverse = 1 / Math.sqrt(variance[j]! + this.#epsilon);
      const sum = s[j]!;
      const product = q[j]! * inverse; // Σ dy x̂
      this.#beta.gradient[j]! += sum;
      this.#gamma.gradient[j]! += product;
      p[j] = this.#gamma.used[j]! * inverse;
      q[j] = (-p[j]! * inverse * product) / rows;
      s[j] = (-p[j]! * sum) / rows - q[j]! * mean[j]!;
    }
    loops.mixRows(dy.byteOffset, x, dy.byteOffset, p.byteOffset, q.byteOffset, s.byteOffset, rows, n);
    return dy;
  }

  initialise(): void {
    this.#gamma.value.fill(1);
    this.#beta.value.fill(0);
  }

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({
      kind: "batch-norm",
      name: this.#name,
      inputs: [input.name],
      output,
      gamma: this.#gamma.value.slice(),
      beta: this.#beta.value.slice(),
      mean: this.#mean.running.slice(),
      variance: this.#variance.running.slice(),
      epsilon: this.#epsilon,
    });
    return output;
  }
}
