import type { SampleBlock } from "../../pipelines/signal.ts";
import { sampleTimeNs } from "../recordings/recording.ts";
import { decodePcm } from "../recordings/wav.ts";
import type { DecodeContext, DecodeReason, DecodeResult, SampleFormat } from "./payload-codec.ts";
import type { RunningTime } from "./running-time.ts";

/** Bounds of what one message may hold. */
export const limits = {
  payloadBytes: 4 * 2 ** 20,
  /** Samples of all channels together. */
  samples: 2 ** 20,
  channels: 64,
  channelNameLetters: 64,
  rateMinHz: 0.001,
  rateMaxHz: 1e6,
} as const;

/** The fields of a chunk of samples, out of whatever carried them; undefined where the sender left them out. */
export interface Chunk {
  readonly t0Ns: bigint | undefined;
  /** The sender's number of the chunk, where it gives one. */
  readonly sequence?: SampleBlock["sequence"] | undefined;
  readonly rateHz: number | undefined;
  readonly channels: readonly string[] | undefined;
  readonly scale: number | undefined;
  /** Time steps, as the sender counted them. */
  readonly n: number | undefined;
  /** Interleaved numbers [time × channels], or bytes in a format. */
  readonly values: Float32Array | { readonly data: Uint8Array; readonly format: SampleFormat | undefined };
  /** The electrode was off: the samples mean nothing. */
  readonly isLeadOff: boolean;
}

/** Counts of full scale, so that raw integers can be scaled. */
export const fullScaleCounts: Readonly<Record<SampleFormat, number>> = { s16le: 2 ** 15, s24le: 2 ** 23, f32le: 1 };

/** A refusal, as a value. */
export const refuse = (reason: DecodeReason, detail: string): DecodeResult => ({
  ok: false,
  error: { reason, detail },
});

/** The number of a chunk; senders that do not count leave it at 0, and so does the first of those that do. */
export const sequenceOf = (session: unknown, seq: unknown): SampleBlock["sequence"] => {
  const number = Number(seq ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? { session: String(session ?? ""), number } : undefined;
};

/** Refuses what is empty or larger than `limits.payloadBytes`. */
export const refuseSize = (payload: Uint8Array): DecodeResult | undefined => {
  if (payload.length === 0) return refuse("empty", "payload: expected a message, got 0 bytes");
  if (payload.length <= limits.payloadBytes) return undefined;
  return refuse("too-large", `payload: expected at most ${limits.payloadBytes} bytes, got ${payload.length}`);
};

/**
 * Checks a chunk and makes the block of it: settings fill what the chunk leaves out; without a time it follows the
 * block before (`RunningTime`).
 */
export const blockOf = (
  chunk: Chunk,
  { context, runningTime }: { readonly context: DecodeContext; readonly runningTime: RunningTime },
): DecodeResult => {
  const { settings } = context;
  const rateHz = chunk.rateHz ?? settings.rateHz;
  if (rateHz === undefined)
    return refuse("missing-field", "rate_hz: expected a rate in the payload or the settings, got none");
  if (!(rateHz >= limits.rateMinHz && rateHz <= limits.rateMaxHz)) {
    return refuse("wrong-rate", `rate_hz: expected ${limits.rateMinHz} … ${limits.rateMaxHz} Hz, got ${rateHz}`);
  }
  const channels = chunk.channels ?? settings.channels ?? ["signal"];
  if (channels.length < 1 || channels.length > limits.channels) {
    return refuse("wrong-channels", `channels: expected 1 … ${limits.channels} names, got ${channels.length}`);
  }
  const unfit = channels.find((name) => name.length < 1 || name.length > limits.channelNameLetters);
  if (unfit !== undefined || (channels.length > 1 && new Set(channels).size !== channels.length)) {
    return refuse("wrong-channels", "channels: expected names of 1 … 64 letters, each once, got others");
  }
  const scale = chunk.scale ?? (chunk.values instanceof Float32Array ? 1 : (settings.scale ?? 1));
  if (!Number.isFinite(scale) || scale === 0) {
    return refuse("wrong-scale", `scale: expected a number that is not 0, got ${scale}`);
  }
  const samples = samplesOf(chunk, settings.format);
  if (!(samples instanceof Float32Array)) return samples;
  if (samples.length === 0) return refuse("empty", "data: expected at least one sample, got none");
  if (samples.length > limits.samples) {
    return refuse("too-large", `data: expected at most ${limits.samples} samples, got ${samples.length}`);
  }
  const n = chunk.n ?? samples.length / channels.length;
  if (!Number.isInteger(n) || n * channels.length !== samples.length) {
    return refuse(
      "wrong-length",
      `data: expected ${chunk.n ?? "whole rows of"} × ${channels.length} samples, got ${samples.length}`,
    );
  }
  if (chunk.isLeadOff) samples.fill(Number.NaN);
  else if (scale !== 1) for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * scale;
  const durationNs = sampleTimeNs(0n, n, rateHz);
  const startAtNs = chunk.t0Ns ?? runningTime.startOf(durationNs, context.receivedAtNs);
  if (startAtNs < 0n || startAtNs + durationNs >= 2n ** 63n) {
    return refuse("wrong-time", `t0_ns: expected nanoseconds since 1970, up to 2262, got ${startAtNs}`);
  }
  const { sequence } = chunk;
  const block = { stream: context.stream, startAtNs, sampleRateHz: rateHz, channels, samples };
  return { ok: true, blocks: [sequence === undefined ? block : { ...block, sequence }] };
};

const samplesOf = ({ values }: Chunk, settled: SampleFormat | undefined): Float32Array | DecodeResult => {
  if (values instanceof Float32Array) return values;
  const format = values.format ?? settled;
  if (format === undefined) return refuse("missing-field", "format: expected s16le, s24le or f32le, got none");
  const samples = decodePcm(values.data, format);
  const width = { s16le: 2, s24le: 3, f32le: 4 }[format];
  if (samples.length * width !== values.data.length) {
    return refuse("wrong-length", `data: expected whole samples of ${width} bytes, got ${values.data.length} bytes`);
  }
  const counts = fullScaleCounts[format];
  if (counts !== 1) for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * counts;
  return samples;
};
