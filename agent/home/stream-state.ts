import type { Classification } from "../../pipelines/signal.ts";
import { isTold } from "../store/anomaly-event.ts";
import type { AnomalyStore } from "../store/anomaly-store.ts";
import type { StreamStatistics } from "../stream-statistics.ts";

/** Beats that a heart rate is taken over. */
const beats = 8;
/** A pause that is no heartbeat: the sensor was off. */
const longestBeatSeconds = 3;

/** What a stream says at this moment, for those who keep states and no events. */
export class StreamState {
  readonly statistics: StreamStatistics;
  /** Something changed since it was told last. */
  isNews = true;
  #last: Classification | undefined;
  #beatsAtNs: bigint[] = [];

  constructor(statistics: StreamStatistics) {
    this.statistics = statistics;
  }

  /** Take a classification. */
  classified(classification: Classification): void {
    this.#last = classification;
    this.isNews = true;
    this.#beatsAtNs.push(classification.atNs);
    if (this.#beatsAtNs.length > beats + 1) this.#beatsAtNs.shift();
  }

  /** As JSON. */
  report(store: Pick<AnomalyStore, "list">): Readonly<Record<string, unknown>> {
    const { name, modality, alarms } = this.statistics;
    const active = new Set(
      store
        .list({ stream: name, state: "active" })
        .filter(isTold)
        .map(({ kind }) => kind),
    );
    return {
      at: this.#last === undefined ? null : new Date(Number(this.#last.toNs / 1_000_000n)).toISOString(),
      label: this.#last?.label ?? null,
      probability: this.#last?.probability ?? null,
      ...(modality === "ecg" && { heartRateBpm: heartRateBpm(this.#beatsAtNs) }),
      alarms: Object.fromEntries(alarms.map(({ kind }) => [kind, active.has(kind)])),
    };
  }
}

/** Beats a minute by the median of the intervals between beats, ns since 1970; null where there are too few. */
export const heartRateBpm = (beatsAtNs: readonly bigint[]): number | null => {
  const seconds = beatsAtNs
    .slice(1)
    .map((at, i) => Number(at - beatsAtNs[i]!) / 1e9)
    .filter((interval) => interval > 0 && interval < longestBeatSeconds)
    .sort((a, b) => a - b);
  if (seconds.length < beats / 2) return null;
  return Math.round(60 / seconds[Math.floor(seconds.length / 2)]!);
};
