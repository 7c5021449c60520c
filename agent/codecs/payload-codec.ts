import type { SampleBlock } from "../../pipelines/signal.ts";

/** How the samples of a payload are stored, little-endian. */
export type SampleFormat = "s16le" | "s24le" | "f32le";

/** What the configuration says of a stream, for payloads that do not say it themselves. */
export interface CodecSettings {
  readonly rateHz?: number | undefined;
  readonly format?: SampleFormat | undefined;
  readonly channels?: readonly string[] | undefined;
  /** Physical units in one count. */
  readonly scale?: number | undefined;
}

/** What a codec may know beside the payload. */
export interface DecodeContext {
  /** Name of the stream in the configuration; becomes the block's. */
  readonly stream: string;
  readonly receivedAtNs: bigint;
  readonly topic: string;
  readonly settings: CodecSettings;
}

/** Why a payload was refused: few words, so that they can be counted. */
export type DecodeReason =
  | "empty"
  | "too-large"
  | "malformed"
  | "missing-field"
  | "wrong-rate"
  | "wrong-time"
  | "wrong-channels"
  | "wrong-format"
  | "wrong-scale"
  | "wrong-length"
  | "unknown-metric";

export interface DecodeError {
  readonly reason: DecodeReason;
  /** A sentence: `rate_hz: expected 0.001 … 1000000 Hz, got 0`. */
  readonly detail: string;
}

/** What a codec with a protocol of its own learns beside samples. */
export interface SourceNews {
  /** Whether the sender lives; undefined: nothing new. */
  readonly isAlive?: boolean;
  /** What is to be published to the sender. */
  readonly ask?: { readonly topic: string; readonly payload: Uint8Array };
}

export type DecodeResult =
  | { readonly ok: true; readonly blocks: SampleBlock[]; readonly news?: SourceNews }
  | { readonly ok: false; readonly error: DecodeError; readonly news?: SourceNews };

/** What a sender tells of a block beside its samples. */
export interface EncodeOptions {
  /** A word that changes when the sender starts anew; `0` unless given. */
  readonly session?: string;
  /** Running number of the block in its session; 0 unless given. */
  readonly seq?: number;
  /** `f32le`, in physical units, unless given. */
  readonly format?: SampleFormat;
  /** Physical units in one count of an integer format; full scale ±1 unless given. */
  readonly scale?: number;
  readonly unit?: string;
}

/** Payloads ↔ blocks. Holds the running time of senders without a clock: use a new one for each stream. */
export interface PayloadCodec {
  readonly name: string;
  /** Never throws. Samples that are not numbers stay NaN, for the pipeline to see. */
  decode(payload: Uint8Array, context: DecodeContext): DecodeResult;
  encode?(block: SampleBlock, options?: EncodeOptions): Uint8Array;
  /** A sentence why a stream of this topic filter cannot work, where it cannot. */
  refuseTopic?(filter: string): string | undefined;
}
