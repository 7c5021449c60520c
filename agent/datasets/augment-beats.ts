import type { SequentialRandom } from "../../models/random.ts";
import type { BeatChannel } from "../../pipelines/features.ts";

/** How far the features of a beat are changed before they are trained on; 0: not. */
export interface BeatAugmentation {
  /** Names of the features' channels, as the recipe's. */
  readonly channels: readonly BeatChannel[];
  /** Standard deviation of ln amplitude, of the beat and its template alike. */
  readonly amplitude: number;
  /** Largest standard deviation of noise on the beat; its height is about 1. */
  readonly noise: number;
  /** Standard deviation of the height of a slow wave under the beat. */
  readonly wander: number;
  /** Largest shift of the beat against its template, samples either way. */
  readonly shiftSamples: number;
  /** Standard deviation of noise on the numbers of rhythm and shape. */
  readonly numberNoise: number;
  /** How often a number is taken for usual: 0 in its place. */
  readonly numberLoss: number;
}

const pieces = 8; // numbers a channel

/** Make another beat of a beat: `sample` and `out` are [T × channels] as `beatFeatures` makes them. */
export class BeatAugmenter {
  readonly #how: BeatAugmentation;

  constructor(how: BeatAugmentation) {
    this.#how = how;
  }

  /** Write all of `out`. */
  into(sample: Float32Array, random: SequentialRandom, out: Float32Array): void {
    const { channels, amplitude, noise, wander, shiftSamples, numberNoise, numberLoss } = this.#how;
    const width = channels.length;
    const length = sample.length / width;
    const gain = Math.exp(amplitude * random.gaussian());
    const hiss = noise * random.uniform();
    const slope = 0.03 * random.uniform();
    const phase = 2 * Math.PI * random.uniform();
    const slow = wander * random.gaussian();
    const shift = Math.round((2 * random.uniform() - 1) * shiftSamples);
    for (const [c, name] of channels.entries()) {
      if (name === "template") for (let i = 0; i < length; i++) out[i * width + c] = gain * sample[i * width + c]!;
      else if (name === "beat") {
        for (let i = 0; i < length; i++) {
          const from = Math.max(0, Math.min(length - 1, i + shift));
          const added = slow * Math.sin(phase + slope * i) + hiss * random.gaussian();
          out[i * width + c] = gain * sample[from * width + c]! + added;
        }
      } else {
        for (let p = 0, i = 0; p < pieces; p++) {
          const kept = random.uniform() < numberLoss ? 0 : 1;
          const change = numberNoise * random.gaussian();
          for (; Math.floor((pieces * i) / length) === p; i++) {
            out[i * width + c] = kept * (sample[i * width + c]! + change);
          }
        }
      }
    }
  }
}

/** As `AugmentModule`: each thread makes its own. */
export const prepare = (options: unknown) => {
  const augmenter = new BeatAugmenter(options as BeatAugmentation);
  return (sample: Float32Array, random: SequentialRandom, out: Float32Array): void =>
    augmenter.into(sample, random, out);
};
