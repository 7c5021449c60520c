import { describe, expect, it } from "vitest";
import { Rhythm } from "../../../pipelines/dsp/rhythm.ts";

const after = (intervals: readonly number[], before: number, next: number): Float32Array => {
  const rhythm = new Rhythm();
  for (const rr of intervals) rhythm.describe(rr, rr);
  return rhythm.describe(before, next);
};
const steady = new Array(100).fill(0.8);

describe("Rhythm", () => {
  it("is 0 where all is as usual, but for the spreads, which stand at their least", () => {
    const numbers = after(steady, 0.8, 0.8);
    const still = numbers.filter((_, i) => ![11, 12, 21, 22].includes(i));
    expect([...still].every((x) => Math.abs(x) < 1e-6)).toBe(true);
    expect(numbers[11]).toBeCloseTo(Math.log(0.02 / 0.05), 6);
    expect(numbers[12]).toBeCloseTo(Math.log(0.01 / 0.05), 6);
    expect(numbers[21]).toBeCloseTo(Math.log(0.01 / 0.08), 6);
    expect(numbers[22]).toBe(-2);
  });

  it("measures an early beat and its pause: 4 ln (0.6 / 0.8) before, 4 ln (1.0 / 0.8) after, their mean as usual", () => {
    const numbers = after(steady, 0.6, 1);
    for (const at of [0, 1, 2, 3]) expect(numbers[at]).toBeCloseTo(4 * Math.log(0.75), 5);
    for (const at of [5, 6, 15]) expect(numbers[at]).toBeCloseTo(4 * Math.log(1.25), 5);
    expect(numbers[10]).toBeCloseTo(4 * Math.log(0.6), 5);
    expect(numbers[13]).toBeCloseTo(0, 5);
  });

  it("still finds beats early at the end of a run of seventy: beyond the medians of 16 and 64, not of the long intervals", () => {
    const numbers = after([...new Array(180).fill(0.8), ...new Array(70).fill(0.5)], 0.5, 0.5);
    expect(numbers[0]).toBeCloseTo(4 * Math.log(0.5 / 0.8), 5);
    expect(numbers[2]).toBeCloseTo(0, 5);
    expect(numbers[3]).toBeCloseTo(0, 5);
  });

  it("still finds beats early that are three of four: by the mean of the past, and by the longest tenth", () => {
    const numbers = after(new Array(60).fill([1.9, 0.7, 0.7, 0.7]).flat(), 0.7, 0.7);
    expect(numbers[0]).toBeCloseTo(0, 5);
    expect(numbers[16]).toBeCloseTo(4 * Math.log(0.7 / 1), 1);
    expect(numbers[17]).toBeCloseTo(4 * Math.log(0.7 / 1), 1);
    expect(numbers[23]).toBeCloseTo(4 * Math.log(0.7 / 1.9), 5);
  });

  it("measures by the last ten seconds: 4 ln (0.4 / 0.5) where the rate has risen to 120", () => {
    const numbers = after([...steady, ...new Array(30).fill(0.5)], 0.4, 0.5);
    // 0.4 s and twenty of 0.5 s are the first to fill 10 s.
    const near = (0.4 + 20 * 0.5) / 21;
    expect(numbers[18]).toBeCloseTo(4 * Math.log(0.4 / near), 5);
    expect(numbers[19]).toBeCloseTo(4 * Math.log(0.5 / near), 5);
  });

  it("follows a change of rate within some thousand beats, however long the past", () => {
    const numbers = after([...new Array(5000).fill(0.8), ...new Array(5000).fill(1.2)], 1.2, 1.2);
    // (1 − 1/1024)^5000 of the old mean is left.
    expect(numbers[16]).toBeCloseTo(4 * Math.log(1.2 / (1.2 - 0.4 * Math.exp(-5001 / 1024))), 3);
  });

  it("counts the same early beat for less in an irregular rhythm", () => {
    const irregular = Array.from({ length: 100 }, (_, i) => 0.8 * Math.exp(0.3 * Math.sin(1.7 * i)));
    expect(after(steady, 0.6, 0.8)[4]).toBeCloseTo(Math.log(0.75) / 0.02 / 4, 4);
    expect(after(irregular, 0.6, 0.8)[4]!).toBeGreaterThan(-0.6);
  });
});
