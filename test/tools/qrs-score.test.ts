import { describe, expect, it } from "vitest";
import { scorePeaks } from "../../tools/qrs-score.ts";

const mark = (seconds: number, symbol = "N") => ({ sample: Math.round(seconds * 100), symbol });

describe("scorePeaks", () => {
  it("matches one to one within 150 ms and counts the rest", () => {
    const { found, missed, extra } = scorePeaks([mark(1), mark(2), mark(3)], 100, [1.14, 2.16, 3, 3.1]);
    expect({ found, missed, extra }).toEqual({ found: 2, missed: 1, extra: 2 });
  });

  it("gives a beat the nearer of two peaks", () => {
    const { offsetsSeconds, extra } = scorePeaks([mark(1)], 100, [0.9, 1.02]);
    expect(extra).toBe(1);
    expect(offsetsSeconds[0]).toBeCloseTo(0.02, 9);
  });

  it("does not count flutter waves, nor what is told among them, nor marks of rhythm", () => {
    const annotations = [mark(1), mark(2, "["), mark(2.3, "!"), mark(3, "]"), mark(4, "V"), mark(4.1, "+")];
    const { found, missed, extra } = scorePeaks(annotations, 100, [1, 1.9, 2.3, 2.7, 3.3, 4]);
    expect({ found, missed, extra }).toEqual({ found: 2, missed: 0, extra: 1 });
  });
});
