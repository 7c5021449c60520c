import type { SampleBlock } from "../pipelines/signal.ts";
import type { EncodeOptions, PayloadCodec } from "./codecs/codec.ts";

/** Signals to play to a topic. */
export interface Score {
  readonly topic: string;
  readonly codec: PayloadCodec;
  readonly encoding: EncodeOptions;
  /** Event seconds in one second of wall clock. */
  readonly speed: number;
  /** The blocks of one pass, in order of time. */
  readonly blocks: () => Iterable<SampleBlock>;
  /** Whether to begin again at the end, later in event time. */
  readonly repeats: boolean;
  /** Event time of the first block, ns since 1970; undefined keeps the times of the recording. */
  readonly startAtNs: bigint | undefined;
}

/** Sends one message; resolves when the next may go. */
export type Publish = (topic: string, payload: Uint8Array) => Promise<void>;

/**
 * Publish blocks at the pace of their event time. Each goes out when its last sample would have been taken; one that
 * is late goes out at once and none is left out. @returns messages sent
 */
export const play = async (score: Score, publish: Publish, signal: AbortSignal): Promise<number> => {
  const { codec, speed, topic } = score;
  if (codec.encode === undefined) throw new RangeError(`codec: expected one that can encode, got ${codec.name}`);
  let sent = 0;
  let shiftNs = 0n;
  const startedAtMs = performance.now();
  let firstAtNs: bigint | undefined;
  do {
    let endAtNs: bigint | undefined;
    let passStartNs: bigint | undefined;
    for (const block of score.blocks()) {
      if (firstAtNs === undefined) {
        firstAtNs = score.startAtNs ?? block.startAtNs;
        shiftNs = firstAtNs - block.startAtNs;
      }
      passStartNs ??= block.startAtNs;
      const startAtNs = block.startAtNs + shiftNs;
      endAtNs = startAtNs + durationNs(block);
      const dueMs = startedAtMs + Number(endAtNs - firstAtNs) / 1e6 / speed;
      await until(dueMs, signal);
      if (signal.aborted) return sent;
      await publish(topic, codec.encode({ ...block, startAtNs }, { ...score.encoding, seq: sent }));
      sent++;
    }
    if (endAtNs === undefined || passStartNs === undefined) return sent;
    shiftNs = endAtNs - passStartNs;
  } while (score.repeats);
  return sent;
};

const durationNs = ({ samples, channels, sampleRateHz }: SampleBlock): bigint =>
  BigInt(Math.round((samples.length / channels.length / sampleRateHz) * 1e9));

const until = (dueMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, Math.max(0, dueMs - performance.now()));
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
