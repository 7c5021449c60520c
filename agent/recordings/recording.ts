import type { SampleBlock } from "../../pipelines/signal.ts";

/** A run of samples without a gap: physical units, interleaved [time × channels]. */
export interface Segment {
  readonly startAtNs: bigint;
  readonly samples: Float32Array;
}

/** A mark of an expert at one sample, e.g. a beat. */
export interface Annotation {
  /** Index of the sample, from the start of the recording. */
  readonly sample: number;
  readonly atNs: bigint;
  /** WFDB symbol: `N`, `V`, `A`, `+`, … */
  readonly symbol: string;
  /** Free text, e.g. the rhythm `(AFIB`; empty mostly. */
  readonly aux: string;
}

/** A file that a user has, read whole: channels at one rate, in one or more gapless segments. */
export interface Recording {
  /** Name of the stream; the file's base name unless told otherwise. */
  readonly stream: string;
  readonly channels: readonly string[];
  /** One unit a channel; empty where the file says none. */
  readonly units: readonly string[];
  readonly sampleRateHz: number;
  readonly segments: readonly Segment[];
  readonly annotations?: readonly Annotation[];
  /** Label columns of a table (`anomaly`, `changepoint`), one value a time step, over all segments. */
  readonly labels?: Readonly<Record<string, Float32Array>>;
  /** Cuts the recording into blocks of at most `blockSeconds`; the last of a segment may be shorter. */
  blocks(blockSeconds: number): Generator<SampleBlock>;
}

/** Settings that all readers share. */
export interface RecordingOptions {
  readonly stream?: string;
  /** Time of the first sample where the file has none, ns since 1970; 0 unless given. */
  readonly startAtNs?: bigint;
}

/** A file that cannot be read: exit code 66 where it is missing, 65 where its content is wrong. */
export class RecordingError extends Error {
  readonly exitCode: 65 | 66;

  constructor(exitCode: 65 | 66, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RecordingError";
    this.exitCode = exitCode;
  }
}

/** Time of sample `index` counted from `startAtNs`, to the nearest nanosecond; exact for whole rates. */
export const sampleTimeNs = (startAtNs: bigint, index: number, sampleRateHz: number): bigint => {
  if (!Number.isInteger(sampleRateHz)) return startAtNs + BigInt(Math.round((index / sampleRateHz) * 1e9));
  const rate = BigInt(sampleRateHz);
  return startAtNs + (BigInt(index) * 1_000_000_000n + rate / 2n) / rate;
};

/** Joins the parts of a recording and gives it its `blocks`. */
export const recordingOf = (parts: Omit<Recording, "blocks">): Recording => ({
  ...parts,
  *blocks(blockSeconds) {
    const { stream, channels, sampleRateHz, segments } = parts;
    const blockSamples = Math.max(1, Math.round(blockSeconds * sampleRateHz));
    if (!Number.isFinite(blockSamples)) {
      throw new RangeError(`blockSeconds: expected a positive number of seconds, got ${blockSeconds}`);
    }
    for (const { startAtNs, samples } of segments) {
      const total = samples.length / channels.length;
      for (let from = 0; from < total; from += blockSamples) {
        const to = Math.min(total, from + blockSamples);
        yield {
          stream,
          startAtNs: sampleTimeNs(startAtNs, from, sampleRateHz),
          sampleRateHz,
          channels,
          samples: samples.slice(from * channels.length, to * channels.length),
        };
      }
    }
  },
});

/** Length of a recording in time steps, over all its segments. */
export const lengthSamples = (recording: Omit<Recording, "blocks">): number =>
  recording.segments.reduce((sum, { samples }) => sum + samples.length, 0) / recording.channels.length;
