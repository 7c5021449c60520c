import type { SequentialRandom } from "../../../models/random.ts";
import type { Augment } from "../../../models/training/training-set.ts";

/** Augmentation for tests: some samples play backwards. */
export const prepare =
  ({ often }: { often: number }): Augment =>
  (sample: Float32Array, random: SequentialRandom, out: Float32Array) => {
    out.set(sample);
    if (random.uniform() < often) out.reverse();
  };
