import { describe, expect, it } from "vitest";
import { configSchema } from "../../agent/config/schema.ts";
import { collectFeatures } from "../../agent/datasets/collect.ts";
import { scoresOf } from "../../agent/evaluation/nab-task.ts";
import { modelBytes, openModel, zooNames } from "../../agent/models.ts";
import { runOffline } from "../../agent/offline.ts";
import { parseModel } from "../../models/load.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { quantiseTensor } from "../../models/quantisation.ts";
import { runningForm } from "../../models/running-form.ts";
import { ForecastJudge } from "../../pipelines/decisions/forecast-judge.ts";
import { type ForecastSettings, featureSettings } from "../../pipelines/features.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import type { AnomalyChange, Classification } from "../../pipelines/signal.ts";
import { jumpRow, metricRecording } from "../support/metric.ts";

const chip = configSchema.shape.chip.parse({});
const rowOf = (ns: bigint): number => Number(ns / 300_000_000_000n);

describe("ForecastJudge", () => {
  it("measures an error in spreads above the mean of those before, over the last of them alone", () => {
    const settings: ForecastSettings = {
      ...{ kind: "forecast", baselineRows: 2, clip: 8, relativeStdFloor: 0 },
      ...{ warmUpRows: 4, memoryRows: 4, shortRows: 1, errorFloor: 0.5, threshold: 2 },
    };
    const judge = new ForecastJudge(settings);
    expect([1, 3, 1, 3].map((e) => judge.take(e))).toEqual([undefined, undefined, undefined, undefined]);
    expect(judge.take(8)).toBe((8 - 2) / (1 + 0.5) / 2);
    // Now 3, 1, 3 and 8 are known: mean 3.75, spread √(83/4 − 3.75²).
    expect(judge.take(3.75)).toBeCloseTo(0, 12);
    // The mean of the last two is judged, 8 and 3.75, by the four before.
    const slow = new ForecastJudge({ ...settings, shortRows: 2 });
    for (const e of [1, 3, 1, 3, 8]) slow.take(e);
    expect(slow.take(3.75)).toBeCloseTo(((8 + 3.75) / 2 - 3.75) / (Math.sqrt(83 / 4 - 3.75 ** 2) + 0.5) / 2, 12);
  });
});

describe.skipIf(!zooNames().includes("sensor-gru"))(
  "sensor-gru in the agent (skipped where the model is missing)",
  () => {
    it("raises one anomaly, when a metric leaves its course, on digital arithmetic and on chips of a day and of a year", () => {
      const chips = ([chip.device, "rram-wan-2022"] as const).flatMap((device) =>
        [86_400, 31_536_000].flatMap((ageSeconds) => [1, 2, 3].map((seed) => ({ device, ageSeconds, seed }))),
      );
      for (const options of [{ device: "digital" as const }, ...chips]) {
        const changes: AnomalyChange[] = [];
        const model = openModel("sensor-gru", { ...chip, ...options });
        runOffline(metricRecording().blocks(3000), model, { onChange: (change) => changes.push(change) });
        const raised = changes.filter(({ type }) => type === "new");
        expect(raised.map(({ anomaly }) => anomaly.kind)).toEqual(["anomaly"]);
        // Ten errors are judged together: the new ones soon outweigh the rest.
        const row = rowOf(raised[0]!.anomaly.fromNs);
        expect(row).toBeGreaterThanOrEqual(jumpRow);
        expect(row).toBeLessThan(jumpRow + 3);
      }
    });

    it("gives the scores that its evaluation has, bit for bit, and keeps a state of its own for each stream", () => {
      const { graph, manifest } = parseModel(modelBytes("sensor-gru"));
      const network = new DigitalNetwork(runningForm(graph, manifest));
      const scores = new Map<number, number>();
      const onClassification = ({ fromNs, scores: s }: Classification) => scores.set(rowOf(fromNs), s[0]!);
      const run = () =>
        runOffline(metricRecording().blocks(3000), { manifest, sha256: "", network }, { onClassification });
      run();
      const first = new Map(scores);
      run(); // a stream that begins anew forgets the one before
      expect(scores).toEqual(first);
      const rows = Float32Array.from(
        collectFeatures(frontEnd(manifest, {}), metricRecording().blocks(3000)),
        (f) => f.data[0]!,
      );
      const { scale } = manifest.input;
      const { data } = quantiseTensor(rows, [rows.length], { scale, zeroPoint: 0 });
      const settings = featureSettings(manifest.input, "forecast");
      const evaluated = scoresOf(network, data, scale, settings);
      expect(scores.size).toBe(rows.length - 1 - settings.warmUpRows);
      for (const [row, score] of scores) expect(score).toBe(evaluated[row]);
    });
  },
);
