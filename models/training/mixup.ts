import type { SequentialRandom } from "../random.ts";

/** A number of the distribution Beta(α, α), 0 < α ≤ 1 (Jöhnk, 1964). */
export const betaOf = (alpha: number, random: SequentialRandom): number => {
  for (;;) {
    const [u, v] = [random.uniform() ** (1 / alpha), random.uniform() ** (1 / alpha)];
    if (u + v > 0 && u + v <= 1) return u / (u + v);
  }
};

/**
 * Mix each sample of a batch with the one after it, the last with the first (Zhang et al., 2018): `x_i ← (1 − p) x_i +
 * p x_{i+1}`, in place, with one p for the batch.
 *
 * @param x       [count × length]
 * @param held    room for one sample
 * @param labels  [count]; `others` takes those of what was mixed in
 */
export const mixSamples = (
  x: Float32Array,
  labels: Int32Array,
  others: Int32Array,
  { count, part, held }: { readonly count: number; readonly part: number; readonly held: Float32Array },
): void => {
  const length = held.length;
  held.set(x.subarray(0, length));
  for (let b = 0; b < count; b++) {
    const last = b === count - 1;
    const from = last ? 0 : (b + 1) * length;
    const source = last ? held : x;
    for (let i = 0; i < length; i++) x[b * length + i]! += part * (source[from + i]! - x[b * length + i]!);
    others[b] = labels[last ? 0 : b + 1]!;
  }
};
