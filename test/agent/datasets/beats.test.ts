import { describe, expect, it } from "vitest";
import { BeatAugmenter } from "../../../agent/datasets/augment-beats.ts";
import { balanceBeats } from "../../../agent/datasets/balance-beats.ts";
import { pack } from "../../../agent/datasets/labelled.ts";
import { SequentialRandom } from "../../../models/random.ts";

describe("balanceBeats", () => {
  const set = pack(
    [1],
    [
      ...Array.from({ length: 900 }, (_, i) => ({ data: Float32Array.of(i), label: 0, group: "a" })),
      ...Array.from({ length: 100 }, (_, i) => ({ data: Float32Array.of(1000 + i), label: 1, group: "a" })),
      ...Array.from({ length: 4 }, (_, i) => ({ data: Float32Array.of(2000 + i), label: 1, group: "b" })),
    ],
  );
  const balanced = balanceBeats(set, { normalBeats: 300, factor: 5, power: 0.5 });
  const timesOf = (value: number): number => balanced.x.filter((x) => x === value).length;

  it("takes every third of 900 normal beats for 300, each once", () => {
    expect(balanced.labels.filter((label) => label === 0).length).toBe(300);
    expect(Array.from({ length: 900 }, (_, i) => timesOf(i))).toEqual(
      Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    );
  });

  it("gives a class 5 √n of its beats a record: 50 of 100, and 4 as 10", () => {
    const countOf = (group: string) => balanced.groups.filter((g, i) => g === group && balanced.labels[i] === 1).length;
    expect([countOf("a"), countOf("b")]).toEqual([50, 10]);
    expect([0, 1, 2, 3].map((i) => timesOf(2000 + i))).toEqual([3, 2, 3, 2]);
  });
});

describe("BeatAugmenter", () => {
  const channels = ["beat", "template", "rhythm-a"] as const;
  const still = { channels, amplitude: 0, noise: 0, wander: 0, shiftSamples: 0, numberNoise: 0, numberLoss: 0 };
  const sample = Float32Array.from({ length: 3 * 32 }, (_, i) => {
    const [c, t] = [i % 3, Math.floor(i / 3)];
    return c < 2 ? Math.sin(t) : 1 + Math.floor(t / 4);
  });
  const changed = (how: Partial<typeof still>, seed = 1): Float32Array => {
    const out = new Float32Array(sample.length);
    new BeatAugmenter({ ...still, ...how }).into(sample, new SequentialRandom(seed, [0, 0, 0]), out);
    return out;
  };
  const numbersOf = (x: Float32Array): number[][] =>
    Array.from({ length: 8 }, (_, p) => Array.from({ length: 4 }, (_, i) => x[3 * (4 * p + i) + 2]!));

  it("changes nothing where nothing is asked for", () => {
    expect(changed({})).toEqual(sample);
  });

  it("scales beat and template by one factor, whose logarithm has the deviation asked for, and no number", () => {
    const gains = Array.from({ length: 400 }, (_, seed) => {
      const out = changed({ amplitude: 0.2 }, seed);
      const gain = out[3]! / sample[3]!;
      expect(out[4]! / sample[4]!).toBeCloseTo(gain, 5);
      expect(numbersOf(out)).toEqual(numbersOf(sample));
      return Math.log(gain);
    });
    const std = Math.sqrt(gains.reduce((sum, g) => sum + g * g, 0) / gains.length);
    expect(Math.abs(std / 0.2 - 1)).toBeLessThan(5 / Math.sqrt(2 * 400));
  });

  it("changes a number as one over all of its samples, and loses the part of them that it is told to", () => {
    let lost = 0;
    for (let seed = 0; seed < 200; seed++) {
      for (const piece of numbersOf(changed({ numberNoise: 0.1, numberLoss: 0.25 }, seed))) {
        expect(new Set(piece).size).toBe(1);
        if (piece[0] === 0) lost++;
      }
    }
    // 1,600 draws: 1.1 % each; five of those.
    expect(Math.abs(lost / 1600 - 0.25)).toBeLessThan(0.055);
  });
});
