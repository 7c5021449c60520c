import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nabSeries } from "../../../agent/datasets/nab.ts";
import {
  nabNormalised,
  nabProfiles,
  nabScore,
  probationRows,
  windowsScored,
} from "../../../agent/evaluation/nab-score.ts";
import { dataDir } from "../../support/data.ts";

const { standard, lowFalsePositives, lowFalseNegatives } = nabProfiles;
const plain = { fpWeight: 1, fnWeight: 1 };

describe("the NAB score", () => {
  it("has the sigmoid of its paper: 0.98661 at the left edge of a window, 0.84828 at its middle", () => {
    const labels = { rows: 2000, windows: [[1000, 1199]] } as const;
    expect(nabScore(labels, [1000], plain)).toBe(1);
    expect(nabScore(labels, [1100], plain)).toBeCloseTo(0.84828 / 0.98661, 4);
    expect(nabScore(labels, [1150, 1100, 1199], plain)).toBe(nabScore(labels, [1100], plain));
    // One width behind the right edge a false alarm costs as much as the earliest detection gains.
    expect(nabScore(labels, [1000, 1199 + 199], plain)).toBeCloseTo(1 - 0.98661, 4);
    expect(nabScore(labels, [1000, 1199 + 3 * 199, 999], plain)).toBe(-1);
  });

  it("gives −0.9540 for one of two windows found at once and one false alarm three rows behind it, as in NAB's own test", () => {
    const labels = {
      rows: 100,
      windows: [
        [40, 44],
        [80, 84],
      ],
    } as const;
    expect(nabScore(labels, [40, 41, 47], plain)).toBeCloseTo(-0.954, 4);
  });

  it("leaves 15 % of the rows out, of 5,000 at most, and with them what is found or missed there", () => {
    expect([100, 4032, 5000, 22_695].map(probationRows)).toEqual([15, 604, 750, 750]);
    const labels = {
      rows: 100,
      windows: [
        [2, 9],
        [50, 59],
      ],
    } as const;
    expect(windowsScored([labels])).toBe(1);
    expect(nabScore(labels, [3, 12, 50], standard)).toBe(1);
    expect(nabScore(labels, [], lowFalseNegatives)).toBe(-2);
  });

  it("is 0 for a detector that finds nothing and 100 for one that finds all at once, by every profile", () => {
    const series = [
      {
        rows: 1000,
        windows: [
          [300, 399],
          [600, 650],
        ],
      },
      { rows: 500, windows: [] },
    ] as const;
    for (const profile of Object.values(nabProfiles)) {
      expect(nabNormalised(series, [[], []], profile)).toBe(0);
      expect(nabNormalised(series, [[300, 600], []], profile)).toBe(100);
    }
    expect(nabNormalised(series, [[300, 600], [400]], lowFalsePositives)).toBeCloseTo(100 - (100 * 0.22) / 4, 9);
  });
});

describe.skipIf(dataDir === undefined)("the NAB score on the series given (skipped without ../shared/data)", () => {
  const series = dataDir === undefined ? [] : nabSeries(join(dataDir, "nab"));
  const labelsOf = (name: string) => {
    const found = series.find((s) => s.name === name)!;
    return { rows: found.values.length, windows: found.windows };
  };

  it("reads 51 series and their 97 windows of the 116 of NAB 1.1", () => {
    expect(series.length).toBe(51);
    expect(series.reduce((sum, s) => sum + s.windows.length, 0)).toBe(97);
    expect(windowsScored(series.map((s) => labelsOf(s.name)))).toBe(97);
  });

  // What NAB publishes of its HTM detector by file (results/numenta/numenta_standard_scores.csv): where it had one hit and no
  // false alarm, some row of a window must give the very number.
  it.each([
    ["realTraffic/TravelTime_451.csv", 0.568159134461],
    ["realAWSCloudwatch/ec2_network_in_257a54.csv", 0.855326299622],
    ["realAWSCloudwatch/ec2_cpu_utilization_ac20cd.csv", 0.875727409493],
    ["realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv", -0.141984317169],
    ["realAWSCloudwatch/ec2_cpu_utilization_fe7f93.csv", -1.12276900965],
  ])("gives one hit in %s the published %d", (name, published) => {
    const labels = labelsOf(name);
    const rows = labels.windows.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
    const nearest = rows.reduce(
      (least, row) => Math.min(least, Math.abs(nabScore(labels, [row], standard) - published)),
      9,
    );
    expect(nearest).toBeLessThan(1e-9);
  });

  // The same detector where it had false alarms before all windows or without any, and no hit.
  it.each([
    ["realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv", 1, -2.11],
    ["realAWSCloudwatch/ec2_cpu_utilization_c6585a.csv", 4, -0.44],
    ["artificialWithAnomaly/art_daily_nojump.csv", 0, -1],
  ])("gives %s with %d false alarms in advance the published %d", (name, count, published) => {
    const labels = labelsOf(name);
    const from = probationRows(labels.rows);
    const rows = Array.from({ length: count }, (_, i) => from + i);
    expect(labels.windows.every(([first]) => first > from + count)).toBe(true);
    expect(nabScore(labels, rows, standard)).toBeCloseTo(published, 9);
  });
});
