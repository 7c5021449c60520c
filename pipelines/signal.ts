import type { QuantisedTensor, Shape } from "../models/tensor.ts";

/** A gapless run of samples of one stream. Owns its memory; nobody changes it after it was emitted. */
export interface SampleBlock {
  readonly stream: string;
  /** Time of the first sample, nanoseconds since 1970 (sender's clock). */
  readonly startAtNs: bigint;
  readonly sampleRateHz: number;
  /** Names of the channels, in the order of the samples. */
  readonly channels: readonly string[];
  /** Physical units, interleaved [time × channels]. */
  readonly samples: Float32Array;
  /** The sender's number of the block, where it gives one; another session counts anew. */
  readonly sequence?: { readonly session: string; readonly number: number };
}

/** A window cut from a stream. Never spans a gap. */
export interface Frame {
  readonly stream: string;
  readonly startAtNs: bigint;
  readonly sampleRateHz: number;
  readonly channels: readonly string[];
  /** [frameSamples × channels] */
  readonly samples: Float32Array;
  /** Running number of the frame since the last gap, from 0. */
  readonly index: number;
  /** For frames around an event (an R peak): when it was. */
  readonly eventAtNs?: bigint;
  /** Seconds between the neighbouring R peaks and this one, where the frame is a beat. */
  readonly rr?: { readonly beforeSeconds: number; readonly afterSeconds: number };
}

/** What a model takes: real numbers of the shape that its input contract says. */
export interface Features {
  readonly stream: string;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly shape: Shape;
  readonly data: Float32Array;
  /** When the event was that the features describe (an R peak); else the middle of the window. */
  readonly atNs: bigint;
  /** True where a gap (or the start of the stream) lies before this window. */
  readonly afterGap?: boolean;
}

/** The piece of signal behind an anomaly, as it came in. */
export interface Evidence {
  readonly startAtNs: bigint;
  readonly sampleRateHz: number;
  readonly channels: readonly string[];
  /** [time × channels] */
  readonly samples: Float32Array;
}

/** Features as int8 codes, ready for the DACs of the first layer. */
export interface QuantisedFeatures extends Omit<Features, "data" | "shape"> {
  readonly tensor: QuantisedTensor;
}

/** How far an answer can be trusted, where that is known: only of a chip whose noise was measured. */
export interface Assurance {
  /** The margin in standard deviations of the noise that the chip has now. */
  readonly marginSigmas?: number;
  /** True where the margin lies within the noise. */
  readonly uncertain?: true;
  /** How it was answered after the first read had been in doubt. */
  readonly redone?: "repeat" | "digital";
}

/** What the network said of one frame. */
export interface Classification extends Assurance {
  readonly stream: string;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly atNs: bigint;
  readonly label: string;
  /** Probability of the label, 0 … 1; for a reconstruction model: score / (score + threshold). */
  readonly probability: number;
  /** One score a label: probabilities; for a reconstruction model a single error in units of its threshold. */
  readonly scores: Float32Array;
  /** Distance between the best and the second-best score. */
  readonly margin: number;
  readonly model: string;
  /** True where a gap (or the start of the stream) lies before this window. */
  readonly afterGap?: boolean;
}

/** A change in the life of an anomaly. The id stays the same from `new` to `end`. */
export interface AnomalyChange {
  readonly type: "new" | "update" | "end";
  readonly anomaly: Anomaly;
}

export interface Anomaly {
  /** Stable: derived from stream, kind and time of onset alone, so that a replay gives the same. */
  readonly id: string;
  readonly stream: string;
  /** The label that raised it, e.g. `V`, `inner-race`, `yes`, `anomaly`. */
  readonly kind: string;
  readonly severity: "critical" | "major" | "minor" | "warning";
  readonly fromNs: bigint;
  /** End of the last frame that confirmed it. */
  readonly toNs: bigint;
  /** Highest score seen while it lasted. */
  readonly peakScore: number;
  /** Frames that confirmed it. */
  readonly count: number;
  /** The model, or `level` for a plain level trigger. */
  readonly model: string;
  readonly evidence: Evidence;
  /** True while another alarm of the stream keeps this one silent. */
  readonly isSuppressed?: boolean;
}
