import type { Node, Value } from "../../network/graph.ts";
import { sigmoid, tanh } from "../../network/layers/activation.ts";
import { type Shape, sizeOf } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";

/** The logistic function or the hyperbolic tangent, into an array of its own. */
export class Curve implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #kind: "sigmoid" | "tanh";
  readonly #y: Float32Array;

  constructor(name: string, kind: "sigmoid" | "tanh", inputShape: Shape, build: Build) {
    this.#name = name;
    this.#kind = kind;
    this.outputShape = inputShape;
    this.#y = build.arena.float32(build.batch * sizeOf(inputShape));
  }

  forward(x: Float32Array, { count }: Pass): Float32Array {
    const y = this.#y.subarray(0, count * sizeOf(this.outputShape));
    if (this.#kind === "sigmoid") sigmoid(x, y);
    else tanh(x, y);
    return this.#y;
  }

  /** σ' = y (1 − y); tanh' = 1 − y². */
  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const y = this.#y;
    const n = count * sizeOf(this.outputShape);
    if (this.#kind === "sigmoid") for (let i = 0; i < n; i++) dy[i] = dy[i]! * y[i]! * (1 - y[i]!);
    else for (let i = 0; i < n; i++) dy[i] = dy[i]! * (1 - y[i]! * y[i]!);
    return dy;
  }

  initialise(): void {}

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: this.#kind, name: this.#name, inputs: [input.name], output });
    return output;
  }
}
