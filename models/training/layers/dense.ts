import type { Node, Value } from "../../network/graph.ts";
import type { SequentialRandom } from "../../random.ts";
import { type Shape, sizeOf } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { AnalogInput } from "./analog-input.ts";

/** `y = W x + b` over all elements of a sample. */
export class Dense implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #build: Build;
  /** Gives the network's answer: starts with small weights, so that no class is preferred loudly by chance. */
  readonly #last: boolean;
  readonly weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #converters: AnalogInput;
  readonly #y: Float32Array;
  readonly #dx: Float32Array | undefined;
  #x: Float32Array = new Float32Array();
  #seen: Float32Array = new Float32Array();

  constructor(
    name: string,
    inputShape: Shape,
    options: { outputs: number; bias: boolean; last: boolean; needsInputGradient: boolean },
    build: Build,
  ) {
    this.#name = name;
    this.#inputs = sizeOf(inputShape);
    this.#outputs = options.outputs;
    this.outputShape = [options.outputs];
    this.#last = options.last;
    this.#build = build;
    this.weights = build.parameters.declare(`${name}.weights`, this.#outputs * this.#inputs, {
      outputs: this.#outputs,
      order: "outputs first",
    });
    this.#bias = options.bias ? build.parameters.declare(`${name}.bias`, this.#outputs) : undefined;
    this.#converters = new AnalogInput(
      name,
      { inputs: this.#inputs, outputs: this.#outputs, first: !options.needsInputGradient },
      build,
    );
    this.#y = build.arena.float32(build.batch * this.#outputs);
    this.#dx = options.needsInputGradient ? build.arena.float32(build.batch * this.#inputs) : undefined;
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    const [n, k, y] = [this.#outputs, this.#inputs, this.#y.byteOffset];
    this.#x = x;
    this.#seen = this.#converters.convert(x, pass);
    const weights = this.weights.used.byteOffset;
    this.#build.kernel.gemmNT(this.#seen.byteOffset, weights, y, pass.count, n, k, k, k, n, 0);
    this.#converters.disturb(this.#y, pass.count * n, pass);
    if (this.#bias) this.#build.loops.addRow(y, this.#bias.used.byteOffset, pass.count, n);
    return this.#y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { kernel, loops } = this.#build;
    const [n, k] = [this.#outputs, this.#inputs];
    const { used, gradient } = this.weights;
    if (this.#bias) loops.sumRows(dy.byteOffset, this.#bias.gradient.byteOffset, count, n);
    kernel.gemmTN(dy.byteOffset, this.#seen.byteOffset, gradient.byteOffset, n, k, count, n, k, k, 1);
    if (!this.#dx) return dy;
    kernel.gemmNN(dy.byteOffset, used.byteOffset, this.#dx.byteOffset, count, k, n, n, k, k, 0);
    this.#converters.backward(this.#x, this.#dx, count);
    return this.#dx;
  }

  initialise(random: SequentialRandom): void {
    heNormal(this.weights.value, this.#last ? 6 * this.#inputs : this.#inputs, random);
  }

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    const weights = this.weights.value.slice();
    const bias = this.#bias?.value.slice() ?? new Float32Array(this.#outputs);
    nodes.push({ kind: "dense", name: this.#name, inputs: [input.name], output, weights, bias });
    return output;
  }
}

/** First weights: N(0, 2 / inputs), which keeps the size of activations through relu (He et al., 2015). */
export const heNormal = (weights: Float32Array, inputs: number, random: SequentialRandom): void => {
  const sigma = Math.sqrt(2 / inputs);
  for (let i = 0; i < weights.length; i++) weights[i] = sigma * random.gaussian();
};
