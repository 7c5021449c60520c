import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nabSeries } from "../../../agent/datasets/nab.ts";
import { nabProfiles } from "../../../agent/evaluation/nab-score.ts";
import { bestByLabels, windowedGaussian } from "../../../agent/evaluation/windowed-gaussian.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { dataDir } from "../../support/data.ts";

describe("The windowed Gaussian", () => {
  it("is the distance from the mean of the window in its deviations: all rows before, from 6,400 on in steps of 100", () => {
    const random = new SequentialRandom(2);
    const values = Float64Array.from({ length: 6800 }, () => 1e6 + random.gaussian());
    const sigmas = windowedGaussian(values);
    const over = (from: number, to: number, row: number) => {
      const held = values.subarray(from, to);
      const mean = held.reduce((sum, v) => sum + v, 0) / held.length;
      const std = Math.sqrt(held.reduce((sum, v) => sum + (v - mean) ** 2, 0) / held.length);
      return Math.abs(values[row]! - mean) / std;
    };
    expect(sigmas[0]).toBe(0);
    expect(sigmas[57]).toBeCloseTo(over(0, 57, 57), 6);
    expect(sigmas[6400]).toBeCloseTo(over(0, 6400, 6400), 6);
    expect(sigmas[6499]).toBeCloseTo(over(0, 6400, 6499), 6);
    expect(sigmas[6500]).toBeCloseTo(over(100, 6500, 6500), 6);
    expect(sigmas[6799]).toBeCloseTo(over(300, 6700, 6799), 6);
  });

  it("is certain of a value beside a constant, and no surer beyond that", () => {
    const sigmas = windowedGaussian([5, 5, 5, 5.1, 5, 1e9]);
    expect([...sigmas.subarray(0, 4)]).toEqual([0, 0, 0, sigmas[5]]);
    expect(sigmas[4]).toBeLessThan(1);
  });
});

describe.skipIf(dataDir === undefined)("on the series of NAB given (skipped without ../shared/data)", () => {
  it("scores what docs/training.md says beside sensor-gru", () => {
    const series = nabSeries(join(dataDir!, "nab")).map((s) => ({ ...s, rows: s.values.length }));
    const sigmas = series.map(({ values }) => windowedGaussian(values));
    const scores = Object.values(nabProfiles).map((profile) => bestByLabels(series, sigmas, profile).score.toFixed(1));
    const page = readFileSync(new URL("../../../docs/training.md", import.meta.url), "utf8");
    expect(page).toContain(`| windowed Gaussian, 51 series | ${scores.join(" | ")} |`);
  }, 60_000);
});
