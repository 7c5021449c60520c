import type { Node, Value } from "../../network/graph.ts";
import { type Shape, sizeOf } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Geometry } from "./geometry.ts";

/** Maximum or average over windows; the average counts what lies inside the sample alone. */
export class Pool implements Layer {
  readonly outputShape: readonly [number, number, number];
  readonly #name: string;
  readonly #kind: "max-pool" | "average-pool";
  readonly #geometry: Geometry;
  readonly #y: Float32Array;
  readonly #dx: Float32Array;
  /** Of each output of a maximum: the element it came from. */
  readonly #source: Int32Array;

  constructor(name: string, kind: "max-pool" | "average-pool", geometry: Geometry, build: Build) {
    const { height, width, channels, outputHeight, outputWidth } = geometry;
    this.#name = name;
    this.#kind = kind;
    this.#geometry = geometry;
    this.outputShape = [outputHeight, outputWidth, channels];
    this.#y = build.arena.float32(build.batch * sizeOf(this.outputShape));
    this.#dx = build.arena.float32(build.batch * height * width * channels);
    this.#source = build.arena.int32(kind === "max-pool" ? build.batch * sizeOf(this.outputShape) : 0);
  }

  forward(x: Float32Array, { count }: Pass): Float32Array {
    const [y, source, { channels }] = [this.#y, this.#source, this.#geometry];
    const maximum = this.#kind === "max-pool";
    y.fill(maximum ? -Infinity : 0, 0, count * sizeOf(this.outputShape));
    this.#eachPair(count, (from, to, share) => {
      for (let c = 0; c < channels; c++) {
        const value = x[from + c]!;
        if (!maximum) y[to + c]! += value * share;
        else if (value > y[to + c]!) {
          y[to + c] = value;
          source[to + c] = from + c;
        }
      }
    });
    return y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { height, width, channels } = this.#geometry;
    const dx = this.#dx.fill(0, 0, count * height * width * channels);
    if (this.#kind === "max-pool") {
      const n = count * sizeOf(this.outputShape);
      for (let i = 0; i < n; i++) dx[this.#source[i]!]! += dy[i]!;
      return dx;
    }
    this.#eachPair(count, (from, to, share) => {
      for (let c = 0; c < channels; c++) dx[from + c]! += dy[to + c]! * share;
    });
    return dx;
  }

  initialise(): void {}

  emit(input: Value, nodes: Node[]): Value {
    const { kernel, stride, padding } = this.#geometry;
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: this.#kind, name: this.#name, inputs: [input.name], output, kernel, stride, padding });
    return output;
  }

  /** Each element of each window inside the sample: place in x, place in y, 1 / elements of the window. */
  #eachPair(count: number, visit: (from: number, to: number, share: number) => void): void {
    const { height, width, channels, kernel, stride, padding, outputHeight, outputWidth } = this.#geometry;
    for (let sample = 0; sample < count; sample++) {
      for (let i = 0; i < outputHeight; i++) {
        const top = Math.max(0, i * stride[0] - padding[0]);
        const bottom = Math.min(height, i * stride[0] - padding[0] + kernel[0]);
        for (let j = 0; j < outputWidth; j++) {
          const left = Math.max(0, j * stride[1] - padding[1]);
          const right = Math.min(width, j * stride[1] - padding[1] + kernel[1]);
          const share = 1 / ((bottom - top) * (right - left));
          const to = ((sample * outputHeight + i) * outputWidth + j) * channels;
          for (let row = top; row < bottom; row++) {
            for (let column = left; column < right; column++) {
              visit(((sample * height + row) * width + column) * channels, to, share);
            }
          }
        }
      }
    }
  }
}

/** The mean over height and width: `[h, w, c]` → `[c]`. */
export class GlobalAveragePool implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #positions: number;
  readonly #build: Build;
  readonly #y: Float32Array;
  readonly #dx: Float32Array;

  constructor(name: string, inputShape: Shape, build: Build) {
    const channels = inputShape.at(-1)!;
    this.#name = name;
    this.#build = build;
    this.outputShape = [channels];
    this.#positions = sizeOf(inputShape) / channels;
    this.#y = build.arena.float32(build.batch * channels);
    this.#dx = build.arena.float32(build.batch * sizeOf(inputShape));
  }

  forward(x: Float32Array, { count }: Pass): Float32Array {
    const [n, positions] = [this.outputShape[0]!, this.#positions];
    const length = count * n;
    this.#y.fill(0, 0, length);
    for (let sample = 0; sample < count; sample++) {
      const from = x.byteOffset + 4 * sample * positions * n;
      this.#build.loops.sumRows(from, this.#y.byteOffset + 4 * sample * n, positions, n);
    }
    for (let i = 0; i < length; i++) this.#y[i]! /= positions;
    return this.#y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const [n, positions] = [this.outputShape[0]!, this.#positions];
    const length = count * n;
    for (let i = 0; i < length; i++) dy[i]! /= positions;
    this.#build.loops.clear(this.#dx.byteOffset, length * positions);
    for (let sample = 0; sample < count; sample++) {
      const to = this.#dx.byteOffset + 4 * sample * positions * n;
      this.#build.loops.addRow(to, dy.byteOffset + 4 * sample * n, positions, n);
    }
    return this.#dx;
  }

  initialise(): void {}

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({ kind: "global-average-pool", name: this.#name, inputs: [input.name], output });
    return output;
  }
}
