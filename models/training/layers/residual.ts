import type { Node, Value } from "../../network/graph.ts";
import type { SequentialRandom } from "../../random.ts";
import { type Shape, sizeOf } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";

/** Layers one after the other. */
export class Sequence implements Layer {
  readonly outputShape: Shape;
  readonly #layers: readonly Layer[];

  constructor(inputShape: Shape, layers: readonly Layer[]) {
    this.#layers = layers;
    this.outputShape = layers.at(-1)?.outputShape ?? inputShape;
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    let y = x;
    for (const layer of this.#layers) y = layer.forward(y, pass);
    return y;
  }

  backward(dy: Float32Array, pass: Pass): Float32Array {
    let dx = dy;
    for (let i = this.#layers.length - 1; i >= 0; i--) dx = this.#layers[i]!.backward(dx, pass);
    return dx;
  }

  initialise(random: SequentialRandom): void {
    for (const layer of this.#layers) layer.initialise(random);
  }

  emit(input: Value, nodes: Node[]): Value {
    let value = input;
    for (const layer of this.#layers) value = layer.emit(value, nodes);
    return value;
  }
}

/** `main(x) + shortcut(x)` (He et al., 2016); an empty shortcut passes x. */
export class Residual implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #build: Build;
  readonly #main: Sequence;
  readonly #shortcut: Sequence;
  readonly #y: Float32Array;
  /** The shortcut's copy of the gradient, since layers change theirs in place. */
  readonly #held: Float32Array;
  readonly #dx: Float32Array;

  /** @throws RangeError when the two branches give different shapes */
  constructor(name: string, inputShape: Shape, branches: { main: Sequence; shortcut: Sequence }, build: Build) {
    this.#name = name;
    this.#build = build;
    this.#main = branches.main;
    this.#shortcut = branches.shortcut;
    this.outputShape = branches.main.outputShape;
    if (`${this.outputShape}` !== `${this.#shortcut.outputShape}`) {
      throw new RangeError(
        `${name}: expected a shortcut that gives [${this.outputShape}], got [${this.#shortcut.outputShape}]`,
      );
    }
    this.#y = build.arena.float32(build.batch * sizeOf(this.outputShape));
    this.#held = build.arena.float32(build.batch * sizeOf(this.outputShape));
    this.#dx = build.arena.float32(build.batch * sizeOf(inputShape));
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    const main = this.#main.forward(x, pass);
    const shortcut = this.#shortcut.forward(x, pass);
    const n = pass.count * sizeOf(this.outputShape);
    this.#build.loops.add(main.byteOffset, shortcut.byteOffset, this.#y.byteOffset, n);
    return this.#y;
  }

  backward(dy: Float32Array, pass: Pass): Float32Array {
    const { loops } = this.#build;
    loops.copy(dy.byteOffset, this.#held.byteOffset, pass.count * sizeOf(this.outputShape));
    const main = this.#main.backward(dy, pass);
    const shortcut = this.#shortcut.backward(this.#held, pass);
    const n = (pass.count * this.#dx.length) / this.#build.batch;
    loops.add(main.byteOffset, shortcut.byteOffset, this.#dx.byteOffset, n);
    return this.#dx;
  }

  initialise(random: SequentialRandom): void {
    this.#main.initialise(random);
    this.#shortcut.initialise(random);
  }

  emit(input: Value, nodes: Node[]): Value {
    const main = this.#main.emit(input, nodes);
    const shortcut = this.#shortcut.emit(input, nodes);
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: "add", name: this.#name, inputs: [main.name, shortcut.name], output });
    return output;
  }
}
