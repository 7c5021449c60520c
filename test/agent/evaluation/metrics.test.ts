import { describe, expect, it } from "vitest";
import { anomalyMetrics, classifierMetrics, spread } from "../../../agent/evaluation/metrics.ts";

describe("classifierMetrics", () => {
  it("counts sensitivity and positive predictivity from the confusion matrix", () => {
    const m = classifierMetrics(["N", "V"], [0, 0, 0, 1, 1], [0, 0, 1, 1, 0]);
    expect(m.confusion).toEqual([
      [2, 1],
      [1, 1],
    ]);
    expect(m.accuracy).toBeCloseTo(3 / 5, 12);
    expect(m.classes[1]).toEqual({ label: "V", events: 2, sensitivity: 0.5, positivePredictivity: 0.5 });
  });

  it("counts a missed event against sensitivity and a false one against predictivity", () => {
    const m = classifierMetrics(["N", "V"], [1, 1, -1], [1, -1, 1]);
    expect(m.classes[1]).toEqual({ label: "V", events: 2, sensitivity: 0.5, positivePredictivity: 0.5 });
  });

  it("says null, not zero, where a class never occurs", () => {
    expect(classifierMetrics(["a", "b"], [0], [0]).classes[1]).toEqual({
      label: "b",
      events: 0,
      sensitivity: null,
      positivePredictivity: null,
    });
  });
});

describe("anomalyMetrics", () => {
  it("gives F1, FAR and MAR of a known table (TP 3, FP 1, TN 4, FN 2)", () => {
    const m = anomalyMetrics([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]);
    expect(m.f1).toBeCloseTo(6 / 9, 12);
    expect(m.farPercent).toBeCloseTo(20, 12);
    expect(m.marPercent).toBeCloseTo(40, 12);
  });
});

describe("spread", () => {
  it("uses the sample standard deviation", () => {
    expect(spread([1, 2, 3])).toEqual({ mean: 2, std: 1, min: 1, max: 3 });
  });
});
