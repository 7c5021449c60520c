import { describe, expect, it } from "vitest";
import { type KeywordAugmentation, KeywordFeatures } from "../../../agent/datasets/augment-keywords.ts";
import { SequentialRandom } from "../../../models/random.ts";

const [frames, bands] = [98, 40];
const still: KeywordAugmentation = {
  ...{ shiftFrames: 0, gainDb: 0, noiseProbability: 0, frequencyMasks: 0, frequencyMaskBands: 0 },
  ...{ timeMasks: 0, timeMaskFrames: 0 },
};
const maker = new KeywordFeatures(bands, [0], [1]);

/** Level of band b by coefficient k: the inverse of the orthonormal DCT-II. */
const inverse = Float64Array.from({ length: bands * bands }, (_, i) => {
  const [b, k] = [Math.floor(i / bands), i % bands];
  return Math.sqrt((k === 0 ? 1 : 2) / bands) * Math.cos((Math.PI * k * (2 * b + 1)) / (2 * bands));
});
/** Levels of the picture that was made. */
const levelsOf = (features: Float32Array): Float64Array =>
  Float64Array.from({ length: frames * bands }, (_, i) => {
    const [row, b] = [i - (i % bands), i % bands];
    let sum = 0;
    for (let k = 0; k < bands; k++) sum += features[row + k]! * inverse[b * bands + k]!;
    return sum;
  });
const augmented = (picture: ArrayLike<number>, how: Partial<KeywordAugmentation>, seed: number): Float64Array => {
  const out = new Float32Array(frames * bands);
  maker.augmentInto(picture, new SequentialRandom(seed), { ...still, ...how }, out);
  return levelsOf(out);
};
/** Single precision of forty coefficients of levels up to 255. */
const near = 1e-3;

const noise = new SequentialRandom(9);
const picture = Uint8Array.from({ length: frames * bands }, () => 60 + noise.integer(100));
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);
const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const covered = (levels: Float64Array): boolean[] =>
  Array.from(levels, (level, i) => Math.abs(level - picture[i]!) > near);

describe("A keyword's picture in training", () => {
  it("is the same for a seed, another for the next, and as it is where nothing is asked for", () => {
    const how = { shiftFrames: 12, gainDb: 10, noiseProbability: 0.5, frequencyMasks: 1, frequencyMaskBands: 6 };
    expect(augmented(picture, how, 5)).toEqual(augmented(picture, how, 5));
    expect(augmented(picture, how, 5)).not.toEqual(augmented(picture, how, 6));
    const plain = new Float32Array(frames * bands);
    maker.plainInto(picture, plain);
    expect(augmented(picture, {}, 5)).toEqual(levelsOf(plain));
  });

  it("moves by as many frames as asked for either way, each as often, and repeats its edge", () => {
    const ramp = Uint8Array.from({ length: frames * bands }, (_, i) => 50 + Math.floor(i / bands));
    const counts = new Map<number, number>();
    for (const seed of seeds(700)) {
      const levels = augmented(ramp, { shiftFrames: 3 }, seed);
      const shift = Math.round(levels[50 * bands]!) - 100;
      counts.set(shift, (counts.get(shift) ?? 0) + 1);
      const errors = [0, 1, 2, 50, 95, 96, 97].map(
        (t) => levels[t * bands + 7]! - 50 - Math.min(97, Math.max(0, t + shift)),
      );
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(near);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
    // 100 of 700 each, with a deviation of 9.
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
  });

  it("changes its level by up to so many dB, evenly, the same everywhere, within 0 … 255", () => {
    const levelsPerDb = (9.865 * Math.LN10) / 10;
    const gains = seeds(400).map((seed) => {
      const levels = augmented(picture, { gainDb: 10 }, seed);
      const gain = levels[0]! - picture[0]!;
      const errors = [1, 500, 3919].map((i) => levels[i]! - picture[i]! - gain);
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(near);
      return gain / levelsPerDb;
    });
    expect(Math.max(...gains.map(Math.abs))).toBeLessThanOrEqual(10);
    const square = meanOf(gains.map((g) => g * g));
    // Variance of an even spread: 10² / 3; 400 draws know it to 4.5 %.
    expect(Math.abs(square / (100 / 3) - 1)).toBeLessThan(0.2);
    const ends = Uint8Array.from(picture, (_, i) => (i % 2 === 0 ? 0 : 255));
    for (const seed of seeds(10)) {
      const levels = augmented(ends, { gainDb: 10 }, seed);
      expect(Math.min(...levels)).toBeGreaterThan(-near);
      expect(Math.max(...levels)).toBeLessThan(255 + near);
    }
  });

  describe("with noise", () => {
    const powerOf = (level: number) => Math.exp((level + 59.25) / 9.865);

    it("has its power and the noise's added: the same noise on two pictures adds the same power to both", () => {
      const louder = Uint8Array.from(picture, (level) => level + 15);
      for (const seed of seeds(20)) {
        const [a, b] = [picture, louder].map((x) => augmented(x, { noiseProbability: 1 }, seed)) as [
          Float64Array,
          Float64Array,
        ];
        for (let i = 0; i < a.length; i += 37) {
          const added = powerOf(a[i]!) - powerOf(picture[i]!);
          // Levels are known to 1e-3: their powers to 1e-4 of what they are.
          const error = Math.abs(powerOf(b[i]!) - powerOf(louder[i]!) - added) / powerOf(b[i]!);
          if (Math.max(a[i]!, b[i]!) < 254) expect(error).toBeLessThan(4e-4);
        }
      }
    });

    it("has it as often as asked for, at levels of 20 to 130 on the whole, that scatter as three frames of hiss do", () => {
      const silence = new Uint8Array(frames * bands);
      const [levels, scatters] = [[] as number[], [] as number[]];
      let noisy = 0;
      for (const seed of seeds(500)) {
        const made = augmented(silence, { noiseProbability: 0.3 }, seed);
        if (made.every((level) => Math.abs(level) < near)) continue;
        noisy++;
        const band = Array.from({ length: frames }, (_, t) => powerOf(made[t * bands + 20]!) - powerOf(0));
        const mean = meanOf(band);
        if (mean < 10 * powerOf(0) || Math.max(...band) > 0.9 * powerOf(255)) continue; // rounded, or cut at full scale
        levels.push(9.865 * Math.log(mean) - 59.25);
        scatters.push(meanOf(band.map((p) => (p / mean - 1) ** 2)));
      }
      // 500 draws: 150 with a deviation of 10.
      expect(Math.abs(noisy - 150)).toBeLessThan(45);
      // Middle of the spectrum: even over 20 … 130, which is 75 with a deviation of 32, and a bump of 25 at most.
      expect(Math.abs(meanOf(levels) - 75)).toBeLessThan(12);
      expect(Math.max(...levels)).toBeLessThan(130 + 26);
      expect(Math.min(...levels)).toBeGreaterThan(20 - 26);
      // The mean of three exponential variates has a variance of a third.
      expect(Math.abs(meanOf(scatters) - 1 / 3)).toBeLessThan(0.03);
    });
  });

  it.each([
    ["bands, all their time", { frequencyMasks: 1, frequencyMaskBands: 6 }, 6, (i: number) => i % bands],
    ["frames, all their bands", { timeMasks: 1, timeMaskFrames: 16 }, 16, (i: number) => Math.floor(i / bands)],
  ] as const)("is covered by its mean in neighbouring %s, each width as often", (_, how, most, lineOf) => {
    const mean = meanOf(picture);
    const widths = new Array<number>(most + 1).fill(0);
    const places = new Set<number>();
    for (const seed of seeds(30 * (most + 1))) {
      const levels = augmented(picture, how, seed);
      const lines = new Map<number, number>();
      let farthest = 0;
      covered(levels).forEach((is, i) => {
        if (!is) return;
        lines.set(lineOf(i), (lines.get(lineOf(i)) ?? 0) + 1);
        farthest = Math.max(farthest, Math.abs(levels[i]! - mean));
      });
      expect(farthest).toBeLessThan(near);
      const sorted = [...lines.keys()].sort((a, b) => a - b);
      expect(sorted).toEqual(sorted.map((_, k) => sorted[0]! + k));
      // All of a line, but for the few that had the mean before.
      for (const count of lines.values())
        expect(count).toBeGreaterThan((0.9 * frames * bands) / (most === 6 ? bands : frames));
      widths[lines.size]!++;
      if (sorted[0] !== undefined) places.add(sorted[0]);
    }
    // 30 each, with a deviation below 6.
    for (const count of widths) expect(Math.abs(count - 30)).toBeLessThan(24);
    expect(places.size).toBeGreaterThan(most === 6 ? 30 : 60);
  });
});
