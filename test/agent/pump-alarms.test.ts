import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../agent/config/schema.ts";
import { pumpFiles } from "../../agent/datasets/pump.ts";
import { openModel, zooNames } from "../../agent/models.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import { pipelineFor } from "../../pipelines/pipeline.ts";
import { dataDir } from "../support/data.ts";

const isThere = dataDir !== undefined && zooNames().includes("pump-anomaly");

describe.skipIf(!isThere)("The pump's alarms on all of SKAB given (skipped without the data or the model)", () => {
  it("are one for each of 14 faults in 15, twice for one of them at most, and one beside at most", async () => {
    const model = openModel("pump-anomaly", configSchema.shape.chip.parse({}));
    const [within, beside]: [number[], number[]] = [[], []];
    for (const file of pumpFiles(`${dataDir}/skab`)) {
      const recording = await openRecording(file);
      const blocks = [...recording.blocks(1)];
      const faulty = blocks
        .filter((_, row) => recording.labels!["anomaly"]![row]! > 0)
        .map(({ startAtNs }) => startAtNs);
      const alarms = new Map<string, { readonly fromNs: bigint; readonly toNs: bigint }>();
      const pipeline = pipelineFor("sensor")(model, {});
      pipeline.run(from(blocks)).subscribe(({ anomaly }) => alarms.set(anomaly.id, anomaly));
      const hits = [...alarms.values()].filter(({ fromNs, toNs }) => fromNs < faulty.at(-1)! && toNs > faulty[0]!);
      within.push(hits.length);
      beside.push(alarms.size - hits.length);
    }
    expect(within.length).toBe(15);
    expect(within.filter((alarms) => alarms > 0).length).toBeGreaterThanOrEqual(14);
    expect(within.reduce((sum, alarms) => sum + alarms, 0)).toBeLessThanOrEqual(15);
    expect(beside.reduce((sum, alarms) => sum + alarms, 0)).toBeLessThanOrEqual(1);
  });
});
