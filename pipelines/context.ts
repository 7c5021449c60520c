import { type MonoTypeOperatorFunction, type OperatorFunction, pipe, tap } from "rxjs";
import type { DecisionRule, InputContract } from "../models/manifest.ts";
import type { Model } from "../models/model.ts";
import type { OnDrop, OnRepair } from "./dropped.ts";
import { decide } from "./operators/decide.ts";
import { fillGaps } from "./operators/fill-gaps.ts";
import type { RPeakDetector } from "./operators/frame-at-r-peaks.ts";
import { remember } from "./operators/remember.ts";
import { reorder } from "./operators/reorder.ts";
import { type LevelRule, watchLevels } from "./operators/watch-levels.ts";
import { RecentSamples } from "./recent-samples.ts";
import type { AnomalyChange, Classification, SampleBlock } from "./signal.ts";

/** What a pipeline takes beside its model; all of it may be left out. */
export interface PipelineContext {
  /** Instead of the model's own rules. */
  readonly rules?: readonly DecisionRule[];
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

const recentValues = 160_000; // 10 s of sound, 4 min of two leads, 5 h of eight slow sensors; 640 KB
const windowBlocks = 4;
const maxEvidenceValues = 65_536;

/** Where the samples of one pipeline are remembered. */
export const recentOf = (context: PipelineContext): RecentSamples =>
  context.recent ?? new RecentSamples({ maxValues: recentValues });

/** The first stage of every pipeline: blocks in order, short gaps closed, and kept as evidence. */
export const arrive = (
  { onDrop, onRepair }: PipelineContext,
  recent: RecentSamples,
  maxGapSamples: number,
): OperatorFunction<SampleBlock, SampleBlock> =>
  pipe(reorder({ windowBlocks, onDrop }), fillGaps({ maxGapSamples, onRepair }), remember(recent));

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
