import { type LabelledFeatures, subset } from "./labelled.ts";

/** How many beats of each class a record gives to training. */
export interface BeatBalance {
  /** At most so many of the first class, normal: its beats are many and much alike. */
  readonly normalBeats: number;
  /** Of each other class `factor · n^power` for n in the record: repeated where that is more, thinned where less. */
  readonly factor: number;
  readonly power: number;
}

/**
 * A set in which neither normal beats nor a single patient have the say: rare classes count for more, and a record with
 * many beats of a class for less than its part. Beats are thinned evenly over the record. No chance takes part.
 */
export const balanceBeats = (set: LabelledFeatures, { normalBeats, factor, power }: BeatBalance): LabelledFeatures => {
  const members = new Map<string, number[]>();
  for (let i = 0; i < set.count; i++) {
    const key = `${set.groups[i]} ${set.labels[i]}`;
    const same = members.get(key);
    if (same) same.push(i);
    else members.set(key, [i]);
  }
  const times = new Int32Array(set.count);
  for (const same of members.values()) {
    const n = same.length;
    const normal = set.labels[same[0]!] === 0;
    const wanted = Math.round(normal ? Math.min(n, normalBeats) : factor * n ** power);
    for (let k = 0; k < wanted; k++) times[same[Math.floor((k * n) / wanted) % n]!]!++;
  }
  return subset(set, (i) => times[i]!);
};
