import { SequentialRandom } from "../../models/random.ts";
import { Dct } from "../../pipelines/dsp/dct.ts";

/** How far a log-mel picture is moved, coloured and covered before it becomes training features. */
export interface KeywordAugmentation {
  /** Largest shift in time, frames either way; what moves in is the picture's own edge. */
  readonly shiftFrames: number;
  /** Largest change of level, dB either way. */
  readonly gainDb: number;
  /** How often noise is mixed in, 0 … 1. */
  readonly noiseProbability: number;
  readonly frequencyMasks: number;
  readonly frequencyMaskBands: number;
  readonly timeMasks: number;
  readonly timeMaskFrames: number;
}

const frames = 98;
const bands = 40;
/** Grey levels of the pictures: level = 9.865 ln P − 59.25. */
const levelsPerNeper = 9.865;
const offset = 59.25;

const textureFrames = 512;

/**
 * From grey levels [98 × 40] to standardised MFCCs [98 × 40]: moved, mixed with noise in the power domain, covered
 * (Park et al. 2019, SpecAugment), then the same DCT and standardisation as the pipeline's.
 */
export class KeywordFeatures {
  readonly #dct: Dct;
  readonly #mean: readonly number[];
  readonly #std: readonly number[];
  readonly #power = Float64Array.from({ length: 256 }, (_, level) => Math.exp((level + offset) / levelsPerNeper));
  readonly #levels = new Float64Array(frames * bands);
  readonly #envelope = new Float64Array(bands);
  /** Power of unit noise as frames and bands see it: the mean of three exponential variates. */
  readonly #texture: Float64Array;

  constructor(coefficients: number, mean: readonly number[], std: readonly number[]) {
    this.#dct = new Dct(bands, coefficients);
    this.#mean = mean;
    this.#std = std;
    const random = new SequentialRandom(40, [98, 0, 0]);
    this.#texture = Float64Array.from(
      { length: textureFrames * bands },
      () => -(Math.log(random.uniform()) + Math.log(random.uniform()) + Math.log(random.uniform())) / 3,
    );
  }

  /** Features of the picture as it is. */
  plainInto(picture: ArrayLike<number>, out: Float32Array): void {
    for (let i = 0; i < frames * bands; i++) this.#levels[i] = picture[i]!;
    this.#finish(out);
  }

  /** Features of the picture changed by chance. */
  augmentInto(picture: ArrayLike<number>, random: SequentialRandom, how: KeywordAugmentation, out: Float32Array): void {
    const shift = random.integer(2 * how.shiftFrames + 1) - how.shiftFrames;
    const gain = (random.uniform() * 2 - 1) * how.gainDb * (levelsPerNeper * Math.LN10) * 0.1;
    const noisy = random.uniform() < how.noiseProbability;
    if (noisy) this.#drawEnvelope(random);
    const from = random.integer(textureFrames);
    for (let t = 0; t < frames; t++) {
      const source = Math.min(frames - 1, Math.max(0, t + shift)) * bands;
      const texture = ((from + t) % textureFrames) * bands;
      for (let b = 0; b < bands; b++) {
        let level = picture[source + b]!;
        if (noisy) {
          const power = this.#power[level]! + this.#envelope[b]! * this.#texture[texture + b]!;
          level = levelsPerNeper * Math.log(power) - offset;
        }
        this.#levels[t * bands + b] = Math.min(255, Math.max(0, level + gain));
      }
    }
    for (let m = 0; m < how.frequencyMasks; m++) this.#coverBands(random, how.frequencyMaskBands);
    for (let m = 0; m < how.timeMasks; m++) this.#coverFrames(random, how.timeMaskFrames);
    this.#finish(out);
  }

  /** A level between inaudible and that of quiet speech, and a smooth random spectrum. */
  #drawEnvelope(random: SequentialRandom): void {
    const level = 20 + 110 * random.uniform();
    const tilt = (random.uniform() * 2 - 1) * 40;
    const bump = random.uniform() * bands;
    const height = (random.uniform() * 2 - 1) * 25;
    for (let b = 0; b < bands; b++) {
      const shape = tilt * (b / bands - 0.5) + height * Math.exp(-(((b - bump) / 6) ** 2));
      this.#envelope[b] = Math.exp((level + shape + offset) / levelsPerNeper);
    }
  }

  #coverBands(random: SequentialRandom, most: number): void {
    const width = random.integer(most + 1);
    const first = random.integer(bands - width + 1);
    const mean = this.#meanLevel();
    for (let t = 0; t < frames; t++) this.#levels.fill(mean, t * bands + first, t * bands + first + width);
  }

  #coverFrames(random: SequentialRandom, most: number): void {
    const width = random.integer(most + 1);
    const first = random.integer(frames - width + 1);
    this.#levels.fill(this.#meanLevel(), first * bands, (first + width) * bands);
  }

  #meanLevel(): number {
    let sum = 0;
    for (const level of this.#levels) sum += level;
    return sum / this.#levels.length;
  }

  #finish(out: Float32Array): void {
    const n = this.#dct.coefficients;
    for (let t = 0; t < frames; t++) this.#dct.applyInto(this.#levels, t * bands, out, t * n);
    const [mean, std] = [this.#mean, this.#std];
    for (let i = 0; i < out.length; i++) {
      out[i] = (out[i]! - mean[(i % n) % mean.length]!) / std[(i % n) % std.length]!;
    }
  }
}

/** Entry for the trainer's threads: see `AugmentModule` in `models/training/training-set.ts`. */
export const prepare = (
  options: unknown,
): ((sample: Float32Array, random: SequentialRandom, out: Float32Array) => void) => {
  const { how, coefficients, mean, std } = options as {
    how: KeywordAugmentation;
    coefficients: number;
    mean: number[];
    std: number[];
  };
  const features = new KeywordFeatures(coefficients, mean, std);
  return (sample, random, out) => features.augmentInto(sample, random, how, out);
};
