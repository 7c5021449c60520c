import type { StreamModality } from "../models/manifest.ts";
import type { AnomalyChange, Classification, SampleBlock } from "../pipelines/signal.ts";

/** Values kept for the level curve of the live view. */
const levelsKept = 24;

/** An alarm that a stream may raise. */
export interface AlarmKind {
  /** Label of the model, or of a level. */
  readonly kind: string;
  readonly severity: string;
  /** Score or level at which it is. */
  readonly enter: number;
}

/** What one stream did so far; read by the live view and by the summary. */
export class StreamStatistics {
  readonly name: string;
  readonly modality: StreamModality;
  messages = 0;
  rejected = 0;
  dropped = 0;
  frames = 0;
  anomalies = 0;
  /** Length of the signal that came in, by its own rate. */
  signalSeconds = 0;
  /** Time spent in codec, pipeline and store. */
  busySeconds = 0;
  /** Why it does not run, where it does not. */
  stopped: string | undefined;
  /** The sender said that it is gone, and has not come back. */
  isSourceDead = false;
  /** What can be raised in it. */
  alarms: readonly AlarmKind[] = [];
  last: Classification | undefined;
  /** Messages that may wait for it. */
  readonly queueLimit: number;
  /** Seconds since 1970 of this machine's clock at the last message. */
  lastMessageAtSeconds: number | undefined;
  /** Seconds since 1970 of this machine's clock at the last frame. */
  lastFrameAtSeconds: number | undefined;
  /** How far the end of the last frame was behind this machine's clock, by its sender's clock, s. */
  lagSeconds: number | undefined;
  /** `signalSeconds` when the last frame was classified. */
  signalSecondsAtLastFrame = 0;
  /** Blocks that came after their turn was over. */
  lateBlocks = 0;
  /** Samples (time steps) that were missing and were interpolated. */
  interpolatedSamples = 0;
  /** Told how long each inference took, seconds. */
  onInferred: ((seconds: number) => void) | undefined;
  /** Told how long each message took, seconds. */
  onWorked: ((seconds: number) => void) | undefined;
  readonly classifications = new Map<string, number>();
  /** Root mean square of the last blocks, first channel, mean removed, newest last. */
  readonly levels: number[] = [];

  constructor(name: string, modality: StreamModality, queueLimit = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.modality = modality;
    this.queueLimit = queueLimit;
  }

  /** Count a message that was worked off. */
  worked(seconds: number): void {
    this.busySeconds += seconds;
    this.onWorked?.(seconds);
  }

  /** Count a message that was lost. */
  countDropped(): void {
    this.dropped++;
  }

  /** Count a block that was decoded. */
  block({ samples, channels, sampleRateHz }: SampleBlock): void {
    const length = samples.length / channels.length;
    this.signalSeconds += length / sampleRateHz;
    this.levels.push(levelOf(samples, channels.length));
    if (this.levels.length > levelsKept) this.levels.shift();
  }

  /** Count a classification made at a time of this machine's clock, seconds since 1970. */
  classification(classification: Classification, nowSeconds: number): void {
    this.frames++;
    this.last = classification;
    this.lastFrameAtSeconds = nowSeconds;
    this.lagSeconds = nowSeconds - Number(classification.toNs / 1_000_000n) / 1000;
    this.signalSecondsAtLastFrame = this.signalSeconds;
    this.classifications.set(classification.label, (this.classifications.get(classification.label) ?? 0) + 1);
  }

  /** Count an anomaly when it is raised. */
  change({ type }: AnomalyChange): void {
    if (type === "new") this.anomalies++;
  }

  /** Seconds of signal worked off in one second of computing; undefined before anything was. */
  get realTimeFactor(): number | undefined {
    return this.busySeconds > 0 && this.signalSeconds > 0 ? this.signalSeconds / this.busySeconds : undefined;
  }
}

const levelOf = (samples: Float32Array, channels: number): number => {
  let sum = 0;
  let squares = 0;
  let n = 0;
  for (let i = 0; i < samples.length; i += channels) {
    const x = samples[i]!;
    if (!Number.isFinite(x)) continue;
    sum += x;
    squares += x * x;
    n++;
  }
  if (n === 0) return 0;
  return n === 1 ? sum : Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
};
