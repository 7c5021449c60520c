import { describe, expect, it } from "vitest";
import { RowBuffer } from "../../../pipelines/dsp/row-buffer.ts";
import { median, quantile, RunningStatistics } from "../../../pipelines/dsp/statistics.ts";

describe("RunningStatistics", () => {
  it("gives mean 5 and standard deviation 2 of 2 4 4 4 5 5 7 9, channel by channel", () => {
    const statistics = new RunningStatistics(2);
    const rows = [2, 4, 4, 4, 5, 5, 7, 9].flatMap((x) => [x, 1e6 + x]);
    statistics.add(Float32Array.from(rows), 0, 8);
    expect([...statistics.mean]).toEqual([5, 1e6 + 5]);
    expect(statistics.std(0)).toBeCloseTo(2, 12);
    expect(statistics.std(1)).toBeCloseTo(2, 9);
  });
});

describe("quantile", () => {
  it("interpolates between neighbours: the ¼-quantile of 1 … 4 is 1.75, the median 2.5", () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([4, 1, 3, 2], 1)).toBe(4);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe("RowBuffer", () => {
  it("keeps absolute row numbers while its front is dropped", () => {
    const buffer = new RowBuffer(2);
    for (let row = 0; row < 1000; row++) {
      buffer.append(Float32Array.of(row, -row));
      if (row >= 10) buffer.dropBefore(row - 10);
    }
    expect([buffer.first, buffer.end]).toEqual([989, 1000]);
    expect([...buffer.view(995, 997)]).toEqual([995, -995, 996, -996]);
  });

  it("drops no more than it holds", () => {
    const buffer = new RowBuffer(1);
    buffer.append(Float32Array.of(1, 2));
    buffer.dropBefore(99);
    expect([buffer.first, buffer.end]).toEqual([2, 2]);
  });
});
