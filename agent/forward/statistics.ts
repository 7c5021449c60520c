import type { Connection } from "../mqtt/connection.ts";
import { within } from "../mqtt/connection.ts";
import type { RingEntry, TelemetryRing } from "../store/telemetry-ring.ts";
import type { StreamStatistics } from "../stream-statistics.ts";
import type { Emit } from "../telemetry/events.ts";

/** What a reporter of statistics needs. */
export interface StatisticsParts {
  readonly ring: Pick<TelemetryRing, "add">;
  readonly connection: Pick<Connection, "isConnected" | "publish">;
  readonly base: string;
  /** The streams that run now. */
  readonly streams: () => readonly StreamStatistics[];
  readonly nowMs: () => number;
  readonly emit: Emit;
  /** There is something new in the ring while the broker is there. */
  readonly onRing: () => void;
}

/** Messages kept in memory before the disk is asked: one write for many spares it. */
const heldMessages = 64;
/** How long the broker may take for a message of statistics before it goes into the ring. */
const patienceMs = 5000;

/**
 * Publishes what each stream did, as `{base}/{stream}/statistics`. With the broker there nothing is written to the disk;
 * while it is away messages are held, then written to the ring many at once.
 */
export class StatisticsReporter {
  readonly #parts: StatisticsParts;
  #timer: NodeJS.Timeout | undefined;
  #held: Omit<RingEntry, "sequence">[] = [];

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
  }

  /** Report every so many seconds; 0: never. */
  start(everySeconds: number): void {
    if (everySeconds > 0) this.#timer = setInterval(() => this.report(), 1000 * everySeconds).unref();
  }

  /** Report no more; what is held goes to the ring. */
  stop(): void {
    clearInterval(this.#timer);
    this.flush();
  }

  /** Report all streams once. */
  async report(): Promise<void> {
    const { streams, base, nowMs } = this.#parts;
    const atMs = Math.round(nowMs());
    const entries = streams().map((stream) => ({
      atMs,
      topic: `${base}/${stream.name}/statistics`,
      payload: JSON.stringify(statisticsJson(stream)),
    }));
    const kept = await Promise.all(entries.map(async (entry) => ((await this.#publish(entry)) ? [] : [entry])));
    this.#held.push(...kept.flat());
    const isThere = this.#parts.connection.isConnected();
    if (this.#held.length < heldMessages && !isThere) return;
    this.flush();
    if (isThere) this.#parts.onRing();
  }

  /** Bring to the ring what is held. */
  flush(): void {
    if (this.#held.length === 0) return;
    const held = this.#held.splice(0);
    try {
      const lost = this.#parts.ring.add(held);
      if (lost > 0) this.#parts.emit({ name: "StatisticsDropped", reason: "ring-full", count: lost });
    } catch {
      this.#parts.emit({ name: "StatisticsDropped", reason: "disk", count: held.length });
    }
  }

  async #publish({ topic, payload, atMs }: Omit<RingEntry, "sequence">): Promise<boolean> {
    const { connection } = this.#parts;
    if (!connection.isConnected()) return false;
    let isThere = false;
    const message = JSON.stringify({ at: new Date(atMs).toISOString(), ...(JSON.parse(payload) as object) });
    const sent = connection.publish(topic, message, { qos: 1 }).then(() => {
      isThere = true;
    });
    await within(patienceMs, sent);
    return isThere;
  }
}

/** Counters since the stream began, and what it looks like now. */
const statisticsJson = (stream: StreamStatistics): Record<string, unknown> => ({
  stream: stream.name,
  messages: stream.messages,
  rejected: stream.rejected,
  dropped: stream.dropped,
  frames: stream.frames,
  anomalies: stream.anomalies,
  signalSeconds: Number(stream.signalSeconds.toFixed(3)),
  busySeconds: Number(stream.busySeconds.toFixed(3)),
  level: stream.levels.at(-1) ?? null,
  label: stream.last?.label ?? null,
  probability: stream.last?.probability ?? null,
});
