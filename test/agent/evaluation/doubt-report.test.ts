import { describe, expect, it } from "vitest";
import { pack } from "../../../agent/datasets/labelled.ts";
import { doubtPolicies, doubtReport } from "../../../agent/evaluation/doubt-report.ts";
import { measureChip, measureLifetime } from "../../../agent/evaluation/lifetime.ts";
import { classifierTask } from "../../../agent/evaluation/task.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { toneModel } from "../../support/tiny-models.ts";

const { graph, manifest } = toneModel();
/** Spectra with nearly as much at 1 kHz as at 4 kHz: some of them the chip's noise decides. */
const random = new SequentialRandom(3);
const spectra = Array.from({ length: 400 }, () => {
  const data = new Float32Array(32);
  const difference = random.gaussian();
  data[5] = 3;
  data[21] = 3 + difference;
  return { data, label: difference > 0 ? 1 : 0, group: "" };
});
const task = classifierTask(manifest, pack([1, 32, 1], spectra), "spectra");
const reads = 8;
const at = async (sigmas: number) => {
  const options = {
    kinds: [{ device: "pcm-nandakumar-2019" }],
    agesSeconds: [{ name: "1d", seconds: 86_400 }],
    ...{ compensations: ["global" as const], doubts: doubtPolicies, seeds: 4, sigmas, reads },
  };
  const lifetime = await measureLifetime(graph, task, options, (job) => measureChip(graph, manifest, task, job));
  const report = doubtReport(task, options, lifetime);
  return { ...report, row: report.rows[0]! };
};

describe("What doubt buys", () => {
  it("says at two deviations which answers to trust, and pays for those alone", async () => {
    const { row, digital } = await at(2);
    expect(row.marked).toBeGreaterThan(0.02);
    expect(row.marked).toBeLessThan(0.5);
    expect(row.unmarked).toBeGreaterThan(row.asTheyAre);
    // Answers marked by a repeated draw of the read noise are as many, to within it.
    expect(row.reads).toBeCloseTo(1 + row.marked * (reads - 1), 0);
    expect(row.redone).toBeGreaterThan(row.asTheyAre);
    expect(row.redone).toBeLessThanOrEqual(digital);
  });

  it("is the accuracy without a chip where all is redone, at all the reads where all is repeated", async () => {
    const { row, digital } = await at(1e6);
    expect(row).toMatchObject({ marked: 1, reads, redone: digital });
  });

  it("is nothing, and costs nothing, where nothing is doubted", async () => {
    const { row } = await at(0);
    expect(row).toMatchObject({ marked: 0, reads: 1 });
    for (const accuracy of [row.unmarked, row.repeated, row.redone]) expect(accuracy).toBeCloseTo(row.asTheyAre, 1);
  });
});
