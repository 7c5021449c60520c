import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Features, SampleBlock } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { type AamiClass, aamiClassOf } from "../recordings/aami.ts";
import { openRecording } from "../recordings/open.ts";
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

/** One lead of a record without gaps, from time 0 on, and its beats. */
export interface BeatLead {
  readonly sampleRateHz: number;
  /** mV */
  readonly samples: Float32Array;
  readonly beats: readonly { readonly atNs: bigint; readonly kind: AamiClass }[];
}

/**
 * Beats of MIT-BIH records with their AAMI class, from our own detector: features of each detected beat, the label
 * of the annotation that it matches, −1 for a false detection, and the classes of the missed beats.
 *
 * @param changed makes another lead of the first one of a record, given which record it is; undefined: the record is left out
 */
export const ecgBeats = async (
  folder: string,
  records: readonly string[],
  labels: readonly string[],
  pipeline: () => Pipeline,
  changed: (lead: BeatLead, record: number) => BeatLead | undefined = (lead) => lead,
): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  const missed: number[] = [];
  let shape: readonly number[] = [];
  for (const [index, record] of records.entries()) {
    const lead = changed(await firstLead(join(folder, `${record}.hea`)), index);
    if (lead === undefined) continue;
    const features = collectFeatures(pipeline(), blocksOf(lead, record));
    shape = features[0]?.shape ?? shape;
    const last = lead.beats.at(-1)?.atNs ?? 0n;
    const matched = matchBeats(features, lead.beats);
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

const firstLead = async (path: string): Promise<BeatLead> => {
  const { channels, sampleRateHz, segments, annotations = [] } = await openRecording(path);
  const { startAtNs, samples: both } = segments[0]!;
  const samples = Float32Array.from({ length: both.length / channels.length }, (_, i) => both[i * channels.length]!);
  const beats = annotations.flatMap(({ symbol, atNs }) => {
    const kind = aamiClassOf(symbol);
    return kind ? [{ atNs: atNs - startAtNs, kind }] : [];
  });
  return { sampleRateHz, samples, beats };
};

/** A lead as blocks of a second. */
function* blocksOf({ sampleRateHz, samples }: BeatLead, stream: string): Generator<SampleBlock> {
  for (let i = 0; i < samples.length; i += sampleRateHz) {
    const startAtNs = BigInt(Math.round((i / sampleRateHz) * 1e9));
    yield { stream, startAtNs, sampleRateHz, channels: ["lead"], samples: samples.subarray(i, i + sampleRateHz) };
  }
}

/** Pair detections and annotations in time, one to one, nearest first. Both in order of time. */
export const matchBeats = <B extends { readonly atNs: bigint; readonly kind: AamiClass }>(
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
