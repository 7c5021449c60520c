import type { Node, Value } from "../../network/graph.ts";
import type { SequentialRandom } from "../../random.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { AnalogInput } from "./analog-input.ts";
import { heNormal } from "./dense.ts";
import type { Geometry } from "./geometry.ts";

/** A convolution of each channel by its own kernel. Weights are kept `[taps × channels]`, so that channels are vectors. */
export class Depthwise implements Layer {
  readonly outputShape: readonly [number, number, number];
  readonly #name: string;
  readonly #geometry: Geometry;
  readonly #build: Build;
  readonly weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #converters: AnalogInput;
  readonly #y: Float32Array;
  readonly #dx: Float32Array;
  #x: Float32Array = new Float32Array();
  #seen: Float32Array = new Float32Array();

  constructor(name: string, geometry: Geometry, options: { bias: boolean }, build: Build) {
    const { height, width, channels, kernel, outputHeight, outputWidth } = geometry;
    this.#name = name;
    this.#geometry = geometry;
    this.#build = build;
    this.outputShape = [outputHeight, outputWidth, channels];
    this.weights = build.parameters.declare(`${name}.weights`, kernel[0] * kernel[1] * channels, {
      outputs: channels,
      order: "outputs last",
    });
    this.#bias = options.bias ? build.parameters.declare(`${name}.bias`, channels) : undefined;
    this.#converters = new AnalogInput(
      name,
      { inputs: height * width * channels, outputs: outputHeight * outputWidth * channels, first: false },
      build,
    );
    this.#y = build.arena.float32(build.batch * outputHeight * outputWidth * channels);
    this.#dx = build.arena.float32(build.batch * height * width * channels);
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    const { loops } = this.#build;
    const { channels, outputHeight, outputWidth } = this.#geometry;
    const rows = pass.count * outputHeight * outputWidth;
    this.#x = x;
    this.#seen = this.#converters.convert(x, pass);
    loops.clear(this.#y.byteOffset, rows * channels);
    this.#eachTap(pass.count, (input, output, tap, stride, positions) => {
      const w = this.weights.used.byteOffset + 4 * tap;
      const from = this.#seen.byteOffset + 4 * input;
      loops.multiplyAddRows(from, stride, w, this.#y.byteOffset + 4 * output, positions, channels);
    });
    this.#converters.disturb(this.#y, rows * channels, pass);
    if (this.#bias) loops.addRow(this.#y.byteOffset, this.#bias.used.byteOffset, rows, channels);
    return this.#y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { loops } = this.#build;
    const { height, width, channels, outputHeight, outputWidth } = this.#geometry;
    const { used, gradient } = this.weights;
    if (this.#bias) {
      loops.sumRows(dy.byteOffset, this.#bias.gradient.byteOffset, count * outputHeight * outputWidth, channels);
    }
    loops.clear(this.#dx.byteOffset, count * height * width * channels);
    this.#eachTap(count, (input, output, tap, stride, positions) => {
      const [from, to] = [this.#seen.byteOffset + 4 * input, this.#dx.byteOffset + 4 * input];
      const [w, dw] = [used.byteOffset + 4 * tap, gradient.byteOffset + 4 * tap];
      loops.tapBackward(from, to, stride, w, dw, dy.byteOffset + 4 * output, positions, channels);
    });
    this.#converters.backward(this.#x, this.#dx, count);
    return this.#dx;
  }

  initialise(random: SequentialRandom): void {
    const { kernel } = this.#geometry;
    heNormal(this.weights.value, kernel[0] * kernel[1], random);
  }

  emit(input: Value, nodes: Node[]): Value {
    const { kernel, stride, padding, channels } = this.#geometry;
    const taps = kernel[0] * kernel[1];
    const weights = new Float32Array(channels * taps);
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < taps; t++) weights[c * taps + t] = this.weights.value[t * channels + c]!;
    }
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({
      kind: "depthwise",
      name: this.#name,
      inputs: [input.name],
      output,
      kernel,
      stride,
      dilation: [1, 1],
      padding,
      weights,
      bias: this.#bias?.value.slice() ?? new Float32Array(channels),
    });
    return output;
  }

  /** For each sample, output row and tap: where its run of positions begins in the arrays, in floats, and its length. */
  #eachTap(
    count: number,
    visit: (input: number, output: number, tap: number, stride: number, positions: number) => void,
  ): void {
    const { height, width, channels, kernel, stride, padding, outputHeight, outputWidth } = this.#geometry;
    for (let sample = 0; sample < count; sample++) {
      for (let i = 0; i < outputHeight; i++) {
        for (let p = 0; p < kernel[0]; p++) {
          const row = i * stride[0] - padding[0] + p;
          if (row < 0 || row >= height) continue;
          for (let q = 0; q < kernel[1]; q++) {
            const first = Math.max(0, Math.ceil((padding[1] - q) / stride[1]));
            const last = Math.min(outputWidth - 1, Math.floor((width - 1 + padding[1] - q) / stride[1]));
            if (last < first) continue;
            const column = first * stride[1] - padding[1] + q;
            visit(
              ((sample * height + row) * width + column) * channels,
              ((sample * outputHeight + i) * outputWidth + first) * channels,
              (p * kernel[1] + q) * channels,
              stride[1] * channels,
              last - first + 1,
            );
          }
        }
      }
    }
  }
}
