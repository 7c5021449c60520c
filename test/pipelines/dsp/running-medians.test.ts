import { expect, it } from "vitest";
import { SequentialRandom } from "../../../models/random.ts";
import { RunningMedians } from "../../../pipelines/dsp/running-medians.ts";
import { median } from "../../../pipelines/dsp/statistics.ts";

it.each([1, 2, 5, 31])(
  "RunningMedians of %i rows are those of the rows sorted anew, with equal values among them",
  (capacity) => {
    const random = new SequentialRandom(1, [capacity, 0, 0]);
    const medians = new RunningMedians(7, capacity);
    const rows: Float64Array[] = [];
    for (let n = 0; n < 100; n++) {
      const row = Float64Array.from({ length: 7 }, () => Math.round(8 * random.gaussian()) + 0);
      rows.push(row);
      medians.add(row);
      const last = rows.slice(-capacity);
      expect([...medians.medians()]).toEqual([...row].map((_, c) => median(last.map((r) => r[c]!))));
    }
  },
);
