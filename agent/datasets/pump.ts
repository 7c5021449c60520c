import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Features } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { openRecording } from "../recordings/open.ts";
import { collectFeatures } from "./collect.ts";
import { type LabelledFeatures, type LabelledSample, pack } from "./labelled.ts";

/** Rows at the start of each file that SKAB lets a detector learn from: free of anomalies. */
export const baselineRows = 400;

/** The tables with an `anomaly` column below a folder, in the order of their names. */
export const pumpFiles = (folder: string): string[] =>
  ["valve1", "valve2", "other"].flatMap((part) => {
    try {
      return readdirSync(join(folder, part))
        .filter((name) => name.endsWith(".csv"))
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .map((name) => join(folder, part, name));
    } catch {
      return []; // not every copy of the benchmark has all its parts
    }
  });

/**
 * Windows of normal operation: the recording without anomalies, and of every other the rows before its baseline
 * ends. No row that the benchmark scores is among them.
 */
export const pumpNormalWindows = async (folder: string, pipeline: () => Pipeline): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  let shape: readonly number[] = [];
  const add = (features: readonly Features[], group: string) => {
    shape = features[0]?.shape ?? shape;
    for (const { data } of features) samples.push({ data, label: 0, group });
  };
  const free = join(folder, "anomaly-free", "anomaly-free.csv");
  add(collectFeatures(pipeline(), (await openRecording(free)).blocks(1)), "anomaly-free.csv");
  for (const path of pumpFiles(folder)) {
    const recording = await openRecording(path);
    const labels = recording.labels?.["anomaly"];
    const features = collectFeatures(pipeline(), recording.blocks(1));
    const endOfBaselineNs = rowTimes(recording)[baselineRows]!;
    if (labels?.subarray(0, baselineRows).some((v) => v > 0)) continue; // a file that breaks the protocol
    add(
      features.filter((f) => f.toNs <= endOfBaselineNs),
      path.split("/").slice(-2).join("/"),
    );
  }
  return pack(shape, samples);
};

/** Time of each row, ns. */
export const rowTimes = (recording: Awaited<ReturnType<typeof openRecording>>): bigint[] =>
  recording.segments.flatMap(({ startAtNs, samples }) => {
    const rows = samples.length / recording.channels.length;
    return Array.from({ length: rows }, (_, i) => startAtNs + BigInt(Math.round((i / recording.sampleRateHz) * 1e9)));
  });
