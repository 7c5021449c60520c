import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aamiClassOf } from "../../agent/recordings/aami.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import { dataDir } from "../support/data.ts";
import { run } from "./blocks.ts";
import { contracts, modelOf } from "./models.ts";

describe.skipIf(dataDir === undefined)("front ends on real recordings (skipped where there are none)", () => {
  const path = (name: string) => join(dataDir!, name);

  it("ecg: finds the 1987 annotated beats of MIT-BIH 119, a fifth of them ectopic, each within the 150 ms of EC57", async () => {
    const recording = await openRecording(path("mitdb/119.hea"));
    const pipeline = frontEnd(modelOf("ecg").manifest, {});
    const features = run(recording.blocks(1), pipeline.upTo("normalise"));
    const beats = recording.annotations!.filter(({ symbol }) => aamiClassOf(symbol) !== undefined);
    const far = beats.filter(({ atNs }) => !features.some((f) => Math.abs(Number(f.atNs - atNs)) < 150e6));
    expect(beats).toHaveLength(1987);
    expect(far).toEqual([]);
    expect(features.filter((f) => f.afterGap)).toHaveLength(1);
  });

  it("audio: makes one window of a clip of 1 s", async () => {
    const recording = await openRecording(path("speech-commands/_background_noise_/pink_noise.wav"));
    const pipeline = frontEnd(modelOf("audio").manifest, {});
    const second = [...recording.blocks(0.1)].slice(0, 10);
    expect(run(second, pipeline.upTo("normalise"))).toHaveLength(1);
  });

  it("sensor: joins the rows of SKAB over the seconds that its logger left out", async () => {
    const recording = await openRecording(path("skab/valve1/0.csv"));
    const input = { ...contracts.sensor, channels: recording.channels, shape: [1, 8, recording.channels.length] };
    const pipeline = frontEnd(modelOf("sensor", { input }).manifest, {});
    const features = run(recording.blocks(1), pipeline.upTo("normalise"));
    expect(features.filter((f) => f.afterGap)).toHaveLength(1);
    // 1147 rows and 53 seconds without one make 1200 rows: 1193 windows of 8.
    expect(features).toHaveLength(1193);
  });
});
