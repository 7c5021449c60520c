import type { Node, Value } from "../../network/graph.ts";
import { type Shape, sizeOf } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";

/** `max(x, 0)`, in place or into an array of its own where the input is still needed elsewhere. */
export class Relu implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #build: Build;
  readonly #own: Float32Array | undefined;
  #y: Float32Array = new Float32Array();

  constructor(name: string, inputShape: Shape, inPlace: boolean, build: Build) {
    this.#name = name;
    this.outputShape = inputShape;
    this.#build = build;
    this.#own = inPlace ? undefined : build.arena.float32(build.batch * sizeOf(inputShape));
  }

  forward(x: Float32Array, { count }: Pass): Float32Array {
    this.#y = this.#own ?? x;
    this.#build.loops.relu(x.byteOffset, this.#y.byteOffset, count * sizeOf(this.outputShape));
    return this.#y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const n = count * sizeOf(this.outputShape);
    this.#build.loops.reluBackward(this.#y.byteOffset, dy.byteOffset, dy.byteOffset, n);
    return dy;
  }

  initialise(): void {}

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: "relu", name: this.#name, inputs: [input.name], output });
    return output;
  }
}

/** In training, each element is zero with probability `rate` and else scaled by 1 / (1 − rate) (Srivastava, 2014). */
export class Dropout implements Layer {
  readonly outputShape: Shape;
  readonly #rate: number;
  readonly #y: Float32Array;
  readonly #factor: Float32Array;

  constructor(inputShape: Shape, rate: number, build: Build) {
    this.outputShape = inputShape;
    this.#rate = rate;
    this.#y = build.arena.float32(build.batch * sizeOf(inputShape));
    this.#factor = build.arena.float32(build.batch * sizeOf(inputShape));
  }

  forward(x: Float32Array, { count, training, random }: Pass): Float32Array {
    if (!training) return x;
    const n = count * sizeOf(this.outputShape);
    for (let i = 0; i < n; i++) this.#factor[i] = random.uniform() < this.#rate ? 0 : 1 / (1 - this.#rate);
    return this.#scale(x, this.#y, n);
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    return this.#scale(dy, dy, count * sizeOf(this.outputShape));
  }

  initialise(): void {}

  emit(input: Value): Value {
    return input;
  }

  #scale(x: Float32Array, y: Float32Array, n: number): Float32Array {
    for (let i = 0; i < n; i++) y[i] = x[i]! * this.#factor[i]!;
    return y;
  }
}

/** The same numbers as one axis. */
export class Flatten implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;

  constructor(name: string, inputShape: Shape) {
    this.#name = name;
    this.outputShape = [sizeOf(inputShape)];
  }

  forward(x: Float32Array): Float32Array {
    return x;
  }
  backward(dy: Float32Array): Float32Array {
    return dy;
  }
  initialise(): void {}

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: "reshape", name: this.#name, inputs: [input.name], output });
    return output;
  }
}
