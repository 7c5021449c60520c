import { describe, expect, it } from "vitest";
import { BeatShape } from "../../../pipelines/dsp/beat-shape.ts";

const rateHz = 180;
const peakAt = 56;
/** A beat of 128 samples: Gaussian waves of heights and centres in seconds from the R peak. */
const beatOf = (waves: readonly (readonly [height: number, at: number, width: number])[], shift = 0): Float64Array =>
  Float64Array.from({ length: 128 }, (_, i) => {
    const t = (i - peakAt - shift) / rateHz;
    return waves.reduce((sum, [height, at, width]) => sum + height * Math.exp(-0.5 * ((t - at) / width) ** 2), 0);
  });
const p = [0.15, -0.16, 0.02] as const;
const t = [0.3, 0.25, 0.04] as const;
const usual = beatOf([p, [1, 0, 0.015], t]);
const premature = beatOf([[1, 0, 0.015], t]);
const ventricular = beatOf([[-1.5, 0.02, 0.05]]);

const afterTwenty = (beat: Float64Array): Float32Array => {
  const shape = new BeatShape(rateHz, peakAt);
  for (let i = 0; i < 20; i++) shape.describe(usual.map((x, k) => x + 0.01 * Math.sin(i + k)));
  return shape.describe(beat).numbers;
};

describe("BeatShape", () => {
  it("finds a usual beat usual: correlations of 0.95 and more, differences as they are wont to be", () => {
    const numbers = afterTwenty(usual.map((x, k) => x + 0.01 * Math.sin(99 + k)));
    expect(numbers[0]).toBeGreaterThan(8 * 0.95 - 7);
    expect(numbers[1]).toBeGreaterThan(4 * 0.95 - 2);
    for (const at of [3, 4, 5, 9, 10, 13, 15]) expect(Math.abs(numbers[at]!)).toBeLessThan(0.8);
  });

  it("misses the P wave alone: P differs by more than e times the usual and by over 0.03, QRS by less than 0.05", () => {
    const numbers = afterTwenty(premature);
    expect(numbers[4]).toBeGreaterThan(2);
    expect(numbers[7]).toBeGreaterThan(0);
    expect(numbers[6]).toBeLessThan(Math.log(0.05 / 0.08));
    expect(numbers[0]).toBeGreaterThan(8 * 0.95 - 7);
  });

  it("sees a wide beat of the other sign: uncorrelated, more than twice as wide, of other polarity", () => {
    const numbers = afterTwenty(ventricular);
    expect(numbers[0]).toBeLessThan(-1);
    expect(numbers[9]).toBeGreaterThan(4 * Math.log(2));
    expect(numbers[14]).toBeLessThan(-2);
  });

  it("measures hiss: a wave of the highest frequency, of height a, has second differences of 4 a", () => {
    const hissing = usual.map((x, i) => x + 0.05 * (i % 2 === 0 ? 1 : -1));
    expect(afterTwenty(hissing)[19]).toBeCloseTo(Math.log(0.2 / 1 / 0.01), 1);
    const shape = new BeatShape(rateHz, peakAt);
    for (let i = 0; i < 64; i++) shape.describe(hissing);
    // By then the beats are wont to be 0.1 higher.
    expect(shape.describe(usual).numbers[20]).toBeCloseTo(Math.log(0.2 / 1.1 / 0.01), 1);
  });

  it("tells from the beats before what a difference means: as large as usual in noise", () => {
    const shape = new BeatShape(rateHz, peakAt);
    const noisy = (k: number) => usual.map((x, i) => x + 0.1 * Math.sin(2.3 * k + 0.4 * i * (1 + (k % 3))));
    for (let k = 0; k < 70; k++) shape.describe(noisy(k));
    const { numbers } = shape.describe(noisy(70));
    for (const at of [16, 17, 18]) expect(numbers[at]! - afterTwenty(usual)[at]!).toBeGreaterThan(1);
  });

  it("lines up a beat that was found four samples beside its peak", () => {
    const numbers = afterTwenty(beatOf([p, [1, 0, 0.015], t], 4));
    expect(numbers[0]).toBeGreaterThan(8 * 0.95 - 7);
  });

  it("keeps to its template through a beat in three of another kind", () => {
    const shape = new BeatShape(rateHz, peakAt);
    for (let i = 0; i < 60; i++) shape.describe(i % 3 === 2 ? ventricular : usual);
    expect([...shape.describe(usual).template]).toEqual([...usual]);
  });
});
