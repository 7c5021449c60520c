import type { ConvNode, Node, Value } from "../../network/graph.ts";
import type { SequentialRandom } from "../../random.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { AnalogInput } from "./analog-input.ts";
import { heNormal } from "./dense.ts";
import type { Geometry } from "./geometry.ts";

/** Floats of windows that are laid out at once: they stay in the second-level cache beside the weights. */
const windowFloats = 64 * 1024;

/**
 * A convolution: windows as rows, `cols[positions × kh·kw·channels]`, then `y = cols · Wᵀ + b`. A kernel of 1 × 1
 * without stride takes its input as it is.
 */
export class Conv implements Layer {
  readonly outputShape: readonly [number, number, number];
  readonly #name: string;
  readonly #geometry: Geometry;
  readonly #build: Build;
  readonly weights: Parameter;
  readonly #bias: Parameter | undefined;
  readonly #converters: AnalogInput;
  readonly #y: Float32Array;
  readonly #dx: Float32Array | undefined;
  readonly #cols: Float32Array;
  readonly #group: number;
  #x: Float32Array = new Float32Array();
  #seen: Float32Array = new Float32Array();

  constructor(
    name: string,
    geometry: Geometry,
    options: { outputs: number; bias: boolean; needsInputGradient: boolean },
    build: Build,
  ) {
    const { height, width, channels, kernel, outputHeight, outputWidth } = geometry;
    const inputs = kernel[0] * kernel[1] * channels;
    const positions = outputHeight * outputWidth;
    this.#name = name;
    this.#geometry = geometry;
    this.#build = build;
    this.outputShape = [outputHeight, outputWidth, options.outputs];
    this.weights = build.parameters.declare(`${name}.weights`, options.outputs * inputs, {
      outputs: options.outputs,
      order: "outputs first",
    });
    this.#bias = options.bias ? build.parameters.declare(`${name}.bias`, options.outputs) : undefined;
    this.#converters = new AnalogInput(
      name,
      { inputs: height * width * channels, outputs: positions * options.outputs, first: !options.needsInputGradient },
      build,
    );
    this.#y = build.arena.float32(build.batch * positions * options.outputs);
    this.#dx = options.needsInputGradient ? build.arena.float32(build.batch * height * width * channels) : undefined;
    this.#group = Math.min(build.batch, Math.max(1, Math.floor(windowFloats / (positions * inputs))));
    this.#cols = build.arena.float32(this.#direct ? 0 : this.#group * positions * inputs);
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    const { kernel, loops } = this.#build;
    const { outputs, inputs, positions } = this.#sizes;
    this.#x = x;
    this.#seen = this.#converters.convert(x, pass);
    const weights = this.weights.used.byteOffset;
    for (let from = 0; from < pass.count; from += this.#group) {
      const samples = Math.min(this.#group, pass.count - from);
      const cols = this.#windows(from, samples);
      const y = this.#y.byteOffset + 4 * from * positions * outputs;
      kernel.gemmNT(cols, weights, y, samples * positions, outputs, inputs, inputs, inputs, outputs, 0);
    }
    const rows = pass.count * positions;
    this.#converters.disturb(this.#y, rows * outputs, pass);
    if (this.#bias) loops.addRow(this.#y.byteOffset, this.#bias.used.byteOffset, rows, outputs);
    return this.#y;
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { kernel, loops } = this.#build;
    const { outputs, inputs, positions } = this.#sizes;
    const dx = this.#dx;
    if (this.#bias) loops.sumRows(dy.byteOffset, this.#bias.gradient.byteOffset, count * positions, outputs);
    if (dx && !this.#direct) loops.clear(dx.byteOffset, count * this.#sampleLength);
    const { used, gradient } = this.weights;
    for (let from = 0; from < count; from += this.#group) {
      const samples = Math.min(this.#group, count - from);
      const rows = samples * positions;
      const cols = this.#windows(from, samples);
      const part = dy.byteOffset + 4 * from * positions * outputs;
      kernel.gemmTN(part, cols, gradient.byteOffset, outputs, inputs, rows, outputs, inputs, inputs, 1);
      if (!dx) continue;
      const to = this.#direct ? dx.byteOffset + 4 * from * this.#sampleLength : cols;
      kernel.gemmNN(part, used.byteOffset, to, rows, inputs, outputs, outputs, inputs, inputs, 0);
      if (!this.#direct) this.#addBack(dx, from, samples);
    }
    if (!dx) return dy;
    this.#converters.backward(this.#x, dx, count);
    return dx;
  }

  initialise(random: SequentialRandom): void {
    heNormal(this.weights.value, this.#sizes.inputs, random);
  }

  emit(input: Value, nodes: Node[]): Value {
    const { kernel, stride, padding } = this.#geometry;
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    const node: ConvNode = {
      kind: "conv",
      name: this.#name,
      inputs: [input.name],
      output,
      kernel,
      stride,
      dilation: [1, 1],
      padding,
      weights: this.weights.value.slice(),
      bias: this.#bias?.value.slice() ?? new Float32Array(this.outputShape[2]),
    };
    nodes.push(node);
    return output;
  }

  /** Address of the windows of `samples` samples as rows. */
  #windows(from: number, samples: number): number {
    const x = this.#seen.byteOffset + 4 * from * this.#sampleLength;
    if (this.#direct) return x;
    this.#eachSample(samples, (i, cols, g) =>
      this.#build.loops.im2col(x + 4 * i * this.#sampleLength, cols, ...geometryArguments(g)),
    );
    return this.#cols.byteOffset;
  }

  #addBack(dx: Float32Array, from: number, samples: number): void {
    const to = dx.byteOffset + 4 * from * this.#sampleLength;
    this.#eachSample(samples, (i, cols, g) =>
      this.#build.loops.col2im(cols, to + 4 * i * this.#sampleLength, ...geometryArguments(g)),
    );
  }

  #eachSample(samples: number, visit: (i: number, cols: number, geometry: Geometry) => void): void {
    const { inputs, positions } = this.#sizes;
    for (let i = 0; i < samples; i++) visit(i, this.#cols.byteOffset + 4 * i * positions * inputs, this.#geometry);
  }

  get #direct(): boolean {
    const { kernel, stride } = this.#geometry;
    return kernel[0] * kernel[1] * stride[0] * stride[1] === 1;
  }
  get #sampleLength(): number {
    return this.#geometry.height * this.#geometry.width * this.#geometry.channels;
  }
  get #sizes(): { outputs: number; inputs: number; positions: number } {
    const { kernel, channels, outputHeight, outputWidth } = this.#geometry;
    const inputs = kernel[0] * kernel[1] * channels;
    return { outputs: this.outputShape[2], inputs, positions: outputHeight * outputWidth };
  }
}

type Eleven = [number, number, number, number, number, number, number, number, number, number, number];

const geometryArguments = (g: Geometry): Eleven =>
  [
    ...[g.height, g.width, g.channels],
    ...g.kernel,
    ...g.stride,
    ...[g.padding[0], g.padding[1]],
    ...[g.outputHeight, g.outputWidth],
  ] as Eleven;
