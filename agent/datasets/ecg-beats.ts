import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Features } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { type AamiClass, aamiClassOf } from "../recordings/aami.ts";
import { openRecording } from "../recordings/open.ts";
import type { Annotation } from "../recordings/recording.ts";
import { collectFeatures } from "./collect.ts";
import { type LabelledFeatures, type LabelledSample, pack } from "./labelled.ts";

/** A detected beat belongs to the nearest annotated one within so long [ANSI/AAMI EC57, 4.3.2]. */
const matchWindowNs = 150_000_000n;
/** Beats so near to the ends of a record are not scored: a detector and its windows need some signal around. */
const edgeNs = 2_000_000_000n;

/** Names of the records of one side of de Chazal's split. */
export const recordsOf = (folder: string, split: "train" | "test"): string[] =>
  readFileSync(join(folder, `RECORDS-${split}`), "utf8")
    .split(/\s+/)
    .filter(Boolean);

/**
 * Beats of MIT-BIH records with their AAMI class, from our own detector: features of each detected beat, the label
 * of the annotation that it matches, −1 for a false detection, and the classes of the missed beats.
 */
export const ecgBeats = async (
  folder: string,
  records: readonly string[],
  labels: readonly string[],
  pipeline: () => Pipeline,
): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  const missed: number[] = [];
  let shape: readonly number[] = [];
  for (const record of records) {
    const recording = await openRecording(join(folder, `${record}.hea`));
    const features = collectFeatures(pipeline(), firstLead(recording.blocks(1)));
    shape = features[0]?.shape ?? shape;
    const beats = (recording.annotations ?? []).flatMap((a) => {
      const kind = aamiClassOf(a.symbol);
      return kind ? [{ ...a, kind }] : [];
    });
    const last = beats.at(-1)?.atNs ?? 0n;
    const matched = matchBeats(features, beats);
    for (const [i, feature] of features.entries()) {
      if (feature.atNs < edgeNs || feature.atNs > last - edgeNs) continue;
      const kind = matched.classes[i];
      samples.push({ data: feature.data, label: kind ? labels.indexOf(kind) : -1, group: record });
    }
    for (const beat of matched.missed) {
      if (beat.atNs >= edgeNs && beat.atNs <= last - edgeNs) missed.push(labels.indexOf(beat.kind));
    }
  }
  return pack(shape, samples, missed);
};

function* firstLead(blocks: Iterable<import("../../pipelines/signal.ts").SampleBlock>) {
  for (const block of blocks) {
    const width = block.channels.length;
    const samples = new Float32Array(block.samples.length / width);
    for (let i = 0; i < samples.length; i++) samples[i] = block.samples[i * width]!;
    yield { ...block, channels: [block.channels[0]!], samples };
  }
}

/** Pair detections and annotations in time, one to one, nearest first. Both in order of time. */
export const matchBeats = <B extends Annotation & { kind: AamiClass }>(
  features: readonly Pick<Features, "atNs">[],
  beats: readonly B[],
): { classes: (AamiClass | undefined)[]; missed: B[] } => {
  const classes: (AamiClass | undefined)[] = features.map(() => undefined);
  const missed: B[] = [];
  let f = 0;
  for (const beat of beats) {
    while (f < features.length && features[f]!.atNs < beat.atNs - matchWindowNs) f++;
    let best = -1;
    let bestNs = matchWindowNs + 1n;
    for (let i = f; i < features.length && features[i]!.atNs <= beat.atNs + matchWindowNs; i++) {
      const distance = features[i]!.atNs > beat.atNs ? features[i]!.atNs - beat.atNs : beat.atNs - features[i]!.atNs;
      if (distance < bestNs) [best, bestNs] = [i, distance];
    }
    if (best < 0) missed.push(beat);
    else {
      classes[best] = beat.kind;
      f = best + 1;
    }
  }
  return { classes, missed };
};
