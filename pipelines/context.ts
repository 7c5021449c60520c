import { identity, type MonoTypeOperatorFunction, map, type OperatorFunction, pipe, tap } from "rxjs";
import type { DecisionRule, InputContract } from "../models/manifest.ts";
import type { Model } from "../models/model.ts";
import type { OnDrop, OnRepair } from "./dropped.ts";
import { rowsOf, samplesToNs } from "./event-time.ts";
import { decide } from "./operators/decide.ts";
import { fillGaps } from "./operators/fill-gaps.ts";
import type { RPeakDetector } from "./operators/frame-at-r-peaks.ts";
import { orderBySequence } from "./operators/order-by-sequence.ts";
import { remember } from "./operators/remember.ts";
import { reorder } from "./operators/reorder.ts";
import { steady } from "./operators/steady.ts";
import { type LevelRule, watchLevels } from "./operators/watch-levels.ts";
import { RecentSamples } from "./recent-samples.ts";
import type { AnomalyChange, Classification, SampleBlock } from "./signal.ts";

/** What a pipeline takes beside its model; all of it may be left out. */
export interface PipelineContext {
  /** Instead of the model's own rules. */
  readonly rules?: readonly DecisionRule[];
  readonly time?: TimeSettings;
  /** Plain thresholds on the signal, beside the model; labels of their own. */
  readonly levels?: readonly LevelRule[];
  /** Where evidence is cut from; without it the pipeline keeps the last 160,000 numbers itself. */
  readonly recent?: RecentSamples;
  readonly onClassification?: (classification: Classification) => void;
  readonly onDrop?: OnDrop;
  readonly onRepair?: OnRepair;
  /** Finds R peaks instead of our own detector. */
  readonly createDetector?: (sampleRateHz: number) => RPeakDetector;
}

/** How the time of a stream is told. */
export interface TimeSettings {
  /** Which sample of a block the sender stamps. */
  readonly stamps: "first" | "last";
  /** Whether the sender's rate is what it says, or is estimated from its stamps. */
  readonly rate: "nominal" | "estimated";
  /** Whether blocks are put in order by their times, or by the numbers that the sender gives them. */
  readonly order: "time" | "sequence";
  /** Blocks that wait, at most, for one that is missing before them: the lateness that is allowed. */
  readonly lateBlocks: number;
  /** Longest gap that is interpolated, ms; the pipeline's own unless given. */
  readonly maxGapMs?: number | undefined;
}

/** A sender that stamps the first sample of each block, at the rate that it says. */
export const plainTime: TimeSettings = { stamps: "first", rate: "nominal", order: "time", lateBlocks: 4 };

const recentValues = 160_000; // 10 s of sound, 4 min of two leads, 5 h of eight slow sensors; 640 KB
const maxEvidenceValues = 65_536;

/** Where the samples of one pipeline are remembered. */
export const recentOf = (context: PipelineContext): RecentSamples =>
  context.recent ?? new RecentSamples({ maxValues: recentValues });

/** The first stage of every pipeline: blocks in order, short gaps closed, and kept as evidence. */
export const arrive = (
  { time = plainTime, onDrop, onRepair }: PipelineContext,
  recent: RecentSamples,
  maxGapSamples: number,
): OperatorFunction<SampleBlock, SampleBlock> => {
  const { stamps, rate, order, lateBlocks: windowBlocks, maxGapMs } = time;
  const longestGap = maxGapMs === undefined ? maxGapSamples : (hz: number) => Math.round((maxGapMs * hz) / 1000);
  return pipe(
    stamps === "last" ? map(stampedFirst) : identity,
    order === "sequence" ? orderBySequence({ windowBlocks, onDrop }) : identity,
    rate === "estimated" ? steady({ stamps, onDrop, onRepair }) : identity,
    reorder({ windowBlocks, onDrop }),
    fillGaps({ maxGapSamples: longestGap, onRepair }),
    remember(recent),
  );
};

/** A block whose start is the time of its last sample, with that of its first, by the rate that it says. */
const stampedFirst = (block: SampleBlock): SampleBlock => ({
  ...block,
  startAtNs: block.startAtNs - samplesToNs(rowsOf(block) - 1, block.sampleRateHz),
});

/** Tell the context of each classification. */
export const telling = ({ onClassification }: PipelineContext): MonoTypeOperatorFunction<Classification> =>
  tap((classification) => onClassification?.(classification));

/** The last stage of every pipeline. */
export const conclude = (
  { manifest }: Model,
  context: PipelineContext,
  recent: RecentSamples,
): OperatorFunction<Classification, AnomalyChange> =>
  decide({ manifest, rules: context.rules ?? manifest.decisions, recent, maxEvidenceValues });

/** What is watched beside the model, if anything. */
export const levelsBeside = (
  { levels = [], onDrop }: PipelineContext,
  recent: RecentSamples,
): OperatorFunction<SampleBlock, AnomalyChange> | undefined =>
  levels.length === 0 ? undefined : watchLevels(levels, { recent, maxEvidenceValues }, onDrop);

/** Samples in a time, at the rate of a contract. */
export const samplesIn = (seconds: number, { sampleRateHz }: InputContract): number =>
  Math.round(seconds * sampleRateHz);
