import type { AnomalyChange, Classification, SampleBlock } from "../pipelines/signal.ts";
import type { DecodeResult } from "./codecs/codec.ts";
import { isoTime } from "./store/anomaly-event.ts";

/** What flows in a stream, one thing at a time. Times are event times. */
export type TapRecord =
  | {
      readonly kind: "block";
      readonly from: string;
      readonly seconds: number;
      readonly sampleRateHz: number;
      readonly channels: readonly string[];
      /** Of all samples that are finite, in physical units. */
      readonly min: number;
      readonly max: number;
      readonly rms: number;
      /** NaN and infinite ones. */
      readonly notFinite: number;
    }
  | { readonly kind: "rejected"; readonly reason: string; readonly detail: string }
  | {
      readonly kind: "classification";
      readonly from: string;
      readonly to: string;
      readonly label: string;
      readonly probability: number;
      readonly margin: number;
    }
  | {
      readonly kind: "anomaly";
      readonly type: AnomalyChange["type"];
      readonly id: string;
      readonly label: string;
      readonly severity: string;
      readonly from: string;
      readonly to: string;
    };

type Listener = (record: TapRecord) => void;

/** Where one can look into streams while they run. Costs nothing while nobody does. */
export class Tap {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Be told what flows in a stream. @returns how to leave */
  listen(stream: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(stream) ?? new Set();
    this.#listeners.set(stream, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(stream);
    };
  }

  decoded(stream: string, result: DecodeResult): void {
    if (this.#listeners.has(stream)) for (const record of decodedRecords(result)) this.#tell(stream, record);
  }

  classified(classification: Classification): void {
    const { stream, fromNs, toNs, label, probability, margin } = classification;
    if (!this.#listeners.has(stream)) return;
    const [from, to] = [isoTime(fromNs), isoTime(toNs)];
    this.#tell(stream, { kind: "classification", from, to, label, probability, margin });
  }

  changed({ type, anomaly }: AnomalyChange): void {
    const { stream, id, kind: label, severity, fromNs, toNs } = anomaly;
    if (!this.#listeners.has(stream)) return;
    this.#tell(stream, { kind: "anomaly", type, id, label, severity, from: isoTime(fromNs), to: isoTime(toNs) });
  }

  #tell(stream: string, record: TapRecord): void {
    for (const listener of this.#listeners.get(stream) ?? []) listener(record);
  }
}

/** What a codec made of a payload. */
export const decodedRecords = (result: DecodeResult): readonly TapRecord[] =>
  result.ok ? result.blocks.map(blockRecord) : [{ kind: "rejected", ...result.error }];

const blockRecord = ({ startAtNs, sampleRateHz, channels, samples }: SampleBlock): TapRecord => {
  let [min, max, squares, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const x of samples) {
    if (!Number.isFinite(x)) continue;
    min = Math.min(min, x);
    max = Math.max(max, x);
    squares += x * x;
    finite++;
  }
  const none = finite === 0;
  return {
    kind: "block",
    from: isoTime(startAtNs),
    seconds: samples.length / channels.length / sampleRateHz,
    sampleRateHz,
    channels,
    min: none ? 0 : min,
    max: none ? 0 : max,
    rms: none ? 0 : Math.sqrt(squares / finite),
    notFinite: samples.length - finite,
  };
};
