import type { Build, Pass } from "../layer.ts";
import type { Parameter, Statistic } from "../parameters.ts";

/** Ends the name of the statistic that holds a layer's range, after the layer's name. */
export const inputRangeSuffix = ".input-max";
/** Ends the name of what is learned of that range. */
export const rangeScaleSuffix = ".input-log-scale";

/** The ADC's range over the running mean of the batches' largest outputs. */
const adcHeadroom = 1.1;

/** Numbers of one sample; `first`: a layer that takes the network's input. */
interface Sizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly first: boolean;
}

/**
 * The converters around a layer of weights, in training: a DAC that rounds and clips its inputs, noise on the
 * outputs, and an ADC that rounds and clips these.
 *
 *   range = (running mean of each batch's largest |x|) · e^θ     θ = 0 unless it is learned
 *   x̂ = clip(rint(x / s), ± levels) · s                           s = range / levels
 *   ∂x̂/∂x = 1 inside, 0 where it clips                            straight through (Bengio et al., 2013)
 *   ∂x̂/∂θ = x̂ − x inside, ± range where it clips                  as LSQ for its step (Esser et al., 2020)
 *
 * Until a range is known nothing is rounded. The gradient passes the ADC as if it were not there; it is one for the
 * whole layer, where the crossbar has one for each tile.
 */
export class AnalogInput {
  readonly #build: Build;
  readonly #length: number;
  /** The range where it is not learned. */
  readonly #fixed: number | undefined;
  readonly #noise: Float32Array | undefined;
  readonly #rounded: Float32Array | undefined;
  readonly #inputRange: Statistic | undefined;
  readonly #logScale: Parameter | undefined;
  readonly #outputRange: Statistic | undefined;

  constructor(name: string, sizes: Sizes, build: Build) {
    const { activationBits, outputNoise, inputMax, adcBits, learnInputRange } = build.converters;
    if (sizes.first) this.#fixed = inputMax;
    this.#build = build;
    this.#length = sizes.inputs;
    if (activationBits !== undefined) {
      this.#rounded = build.arena.float32(build.batch * sizes.inputs);
      this.#inputRange = build.parameters.declareStatistic(`${name}${inputRangeSuffix}`, 1, 0);
      // A layer that gives no gradient to its input has none for its range either.
      if (learnInputRange && !sizes.first) this.#logScale = build.parameters.declare(`${name}${rangeScaleSuffix}`, 1);
    }
    if (outputNoise !== undefined) this.#noise = build.arena.float32(build.batch * sizes.outputs);
    if (outputNoise !== undefined || adcBits !== undefined) {
      this.#outputRange = build.parameters.declareStatistic(`${name}.output-max`, 1, 0);
    }
  }

  get #range(): number {
    if (!this.#inputRange) return 0;
    return this.#fixed ?? this.#inputRange.running[0]! * Math.exp(this.#logScale?.used[0] ?? 0);
  }

  /** What the weights see of `x`. */
  convert(x: Float32Array, { count, training }: Pass): Float32Array {
    if (!this.#rounded || !this.#inputRange) return x;
    const { loops, converters } = this.#build;
    const n = count * this.#length;
    if (training) this.#inputRange.batch[0] = this.#fixed ?? loops.maxAbsolute(x.byteOffset, n);
    const range = this.#range;
    if (range === 0) return x;
    const levels = 2 ** (converters.activationBits! - 1) - 1;
    loops.roundToLevels(x.byteOffset, this.#rounded.byteOffset, n, range / levels, levels);
    return this.#rounded;
  }

  /** Stop the gradient where the DAC clipped `x`, once the range has had its own. */
  backward(x: Float32Array, dx: Float32Array, count: number): void {
    const range = this.#range;
    if (range === 0) return;
    const n = count * this.#length;
    if (this.#logScale) {
      const [rounded, { gradient }] = [this.#rounded!, this.#logScale];
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const value = x[i]!;
        sum += dx[i]! * (value > range ? range : value < -range ? -range : rounded[i]! - value);
      }
      gradient[0] = gradient[0]! + sum;
    }
    this.#build.loops.maskBeyond(x.byteOffset, dx.byteOffset, n, range);
  }

  /** Add noise to the first `n` outputs, in training, and read them with the ADC. */
  disturb(y: Float32Array, n: number, { training, random }: Pass): void {
    if (!this.#outputRange) return;
    const { loops, converters } = this.#build;
    if (training) this.#outputRange.batch[0] = loops.maxAbsolute(y.byteOffset, n);
    const largest = this.#outputRange.running[0]!;
    if (largest === 0) return;
    if (training && this.#noise) {
      loops.fillGaussian(this.#noise.byteOffset, n, random.integer(2 ** 32), random.integer(2 ** 32));
      loops.addScaled(this.#noise.byteOffset, y.byteOffset, n, converters.outputNoise! * largest);
    }
    if (converters.adcBits === undefined) return;
    const levels = 2 ** (converters.adcBits - 1) - 1;
    loops.roundToLevels(y.byteOffset, y.byteOffset, n, (adcHeadroom * largest) / levels, levels);
  }
}
