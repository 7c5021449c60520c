import type { Build, Pass } from "../layer.ts";
import type { Statistic } from "../parameters.ts";

/** Ends the name of the statistic that holds a layer's range, after the layer's name. */
export const inputRangeSuffix = ".input-max";

/** Numbers of one sample; `first`: a layer that takes the network's input. */
interface Sizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly first: boolean;
}

/**
 * The converters around a layer of weights, in training: a DAC that rounds and clips its inputs, with the range
 * learned as a running mean of each batch's largest |x|, and noise on the outputs. The gradient passes through the
 * rounding (straight-through) and stops where the DAC clips. Until a range is known nothing is rounded.
 */
export class AnalogInput {
  readonly #build: Build;
  readonly #length: number;
  /** The range where it is not learned. */
  readonly #fixed: number | undefined;
  readonly #noise: Float32Array | undefined;
  readonly #rounded: Float32Array | undefined;
  readonly #inputRange: Statistic | undefined;
  readonly #outputRange: Statistic | undefined;

  constructor(name: string, sizes: Sizes, build: Build) {
    const { activationBits, outputNoise, inputMax } = build.converters;
    if (sizes.first) this.#fixed = inputMax;
    this.#build = build;
    this.#length = sizes.inputs;
    if (activationBits !== undefined) {
      this.#rounded = build.arena.float32(build.batch * sizes.inputs);
      this.#inputRange = build.parameters.declareStatistic(`${name}${inputRangeSuffix}`, 1, 0);
    }
    if (outputNoise !== undefined) {
      this.#noise = build.arena.float32(build.batch * sizes.outputs);
      this.#outputRange = build.parameters.declareStatistic(`${name}.output-max`, 1, 0);
    }
  }

  /** What the weights see of `x`. */
  convert(x: Float32Array, { count, training }: Pass): Float32Array {
    if (!this.#rounded || !this.#inputRange) return x;
    const { loops, converters } = this.#build;
    const n = count * this.#length;
    if (training) this.#inputRange.batch[0] = this.#fixed ?? loops.maxAbsolute(x.byteOffset, n);
    const range = this.#fixed ?? this.#inputRange.running[0]!;
    if (range === 0) return x;
    const levels = 2 ** (converters.activationBits! - 1) - 1;
    loops.roundToLevels(x.byteOffset, this.#rounded.byteOffset, n, range / levels, levels);
    return this.#rounded;
  }

  /** Stop the gradient where the DAC clipped `x`. */
  backward(x: Float32Array, dx: Float32Array, count: number): void {
    const range = this.#inputRange ? (this.#fixed ?? this.#inputRange.running[0]!) : 0;
    if (range > 0) this.#build.loops.maskBeyond(x.byteOffset, dx.byteOffset, count * this.#length, range);
  }

  /** Add noise to the first `n` outputs. */
  disturb(y: Float32Array, n: number, { training, random }: Pass): void {
    if (!this.#outputRange || !this.#noise || !training) return;
    const { loops } = this.#build;
    this.#outputRange.batch[0] = loops.maxAbsolute(y.byteOffset, n);
    const sigma = this.#build.converters.outputNoise! * this.#outputRange.running[0]!;
    if (sigma === 0) return;
    loops.fillGaussian(this.#noise.byteOffset, n, random.integer(2 ** 32), random.integer(2 ** 32));
    loops.addScaled(this.#noise.byteOffset, y.byteOffset, n, sigma);
  }
}
