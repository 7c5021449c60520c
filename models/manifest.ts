import type { Hardware } from "./crossbar/array-spec.ts";
import type { Shape } from "./tensor.ts";

/** What streams: each has a pipeline of its own. */
export type StreamModality = "audio" | "ecg" | "vibration" | "sensor";

/**
 * What the agent needs of a model beside its graph. Travels in the ONNX file's `metadata_props` under the key
 * `ohmwatch.manifest`, as JSON.
 */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** `image`: single pictures, `vectors`: features made elsewhere; both are classified from files and have no stream. */
  readonly modality: StreamModality | "image" | "vectors";
  /**
   * `classifier`: one score a label. `autoencoder`: gives its input back; the error is the score. `forecaster`: gives for each
   * step of `[1, steps, channels]` the next, and runs step by step; the error is the score.
   */
  readonly task: "classifier" | "autoencoder" | "forecaster";
  /** Class names, in the order of the outputs; for the others `["normal", "anomaly"]`. */
  readonly labels: readonly string[];
  readonly input: InputContract;
  /** Ranges and sizes of the crossbar that the model was calibrated for. */
  readonly mapping: Mapping;
  /** Decision defaults by label. A label that is not here never raises an anomaly. */
  readonly decisions: readonly DecisionRule[];
  /** A few inputs (int8 codes) and the digital outputs that they must give. */
  readonly testVectors: readonly { readonly input: readonly number[]; readonly output: readonly number[] }[];
  readonly training: {
    readonly recipe: string;
    readonly seed: number;
    readonly command: string;
    /** The recipe's `data`: which recordings were trained on, so that an evaluation can leave them out. */
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

export interface InputContract {
  readonly sampleRateHz: number;
  readonly channels: readonly string[];
  /** Shape of the features, channels last: `[height, width, channels]`. */
  readonly shape: Shape;
  /** Samples a window and between the starts of two windows (beats: samples before and after R). */
  readonly windowSamples: number;
  readonly hopSamples: number;
  /** Which front end makes the features, and its settings; read by `pipelines`. */
  readonly features: Readonly<Record<string, unknown>> & { readonly kind: string };
  /** Width of one int8 code of the features; zero is code 0. */
  readonly scale: number;
}

export interface Mapping {
  readonly dacBits: number;
  readonly adcBits: number;
  readonly tileInputs: number;
  readonly tileOutputs: number;
  /** How chips for the model hold and read its weights, where that is not the plain way. */
  readonly hardware?: Hardware;
  /** By node name: full scale of the DACs, in activation units, and of the ADC of each tile, in units of `W·x`. */
  readonly ranges: Readonly<Record<string, { readonly inputMax: number; readonly tileOutputMax: readonly number[] }>>;
}

export interface DecisionRule {
  readonly label: string;
  readonly severity: "critical" | "major" | "minor" | "warning";
  /** Score at or above which a frame counts as a hit. */
  readonly enter: number;
  /** Score below which a frame counts towards the end. */
  readonly leave: number;
  /** `confirm` hits among the last `window` frames raise it. */
  readonly confirm: number;
  readonly window: number;
  /** After its end no new one of this label for so long. */
  readonly refractoryMs: number;
  /** It must have lasted so long before it is raised; 0 unless given. */
  readonly minimumMs?: number;
  /** Only the first of each day, by UTC and event time, is raised. */
  readonly oncePerDay?: boolean;
  /** While an alarm of one of these labels is active, this one is kept silent. */
  readonly suppressedBy?: readonly string[];
}
