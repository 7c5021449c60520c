import { type AnomalyRow, type EventType, eventJson } from "./anomaly-event.ts";
import type { OpenDatabase } from "./database.ts";

/** An event that waits to be published. */
export interface OutboxEntry {
  readonly sequence: number;
  readonly anomalyId: string;
  readonly type: EventType;
  readonly payload: string;
  /** When it was written, ms since 1970 of this machine's clock. */
  readonly atMs: number;
  /** Whether it tells of the newest anomaly of its alarm: then it is what the alarm's own topic keeps. */
  readonly isLatest: boolean;
}

interface StoredEntry extends Omit<OutboxEntry, "isLatest"> {
  readonly isLatest: 0 | 1;
}

/** Events about anomalies that the broker does not have yet. Nothing is ever left out of it to make room. */
export class Outbox {
  readonly #database: OpenDatabase;
  readonly #nowMs: () => number;

  constructor(database: OpenDatabase, nowMs: () => number) {
    this.#database = database;
    this.#nowMs = nowMs;
  }

  /** Add an event; call it in the transaction that changes the row. */
  enqueue(type: EventType, before: AnomalyRow | undefined, after: AnomalyRow): void {
    this.#database
      .prepare(
        `INSERT INTO outbox (anomaly_id, type, payload, at_ms, is_latest) VALUES (@id, @type, @payload, @atMs,
           NOT EXISTS (SELECT 1 FROM anomalies WHERE stream = @stream AND kind = @kind AND from_ns > @fromNs))`,
      )
      .run({
        id: after.id,
        type,
        payload: eventJson(type, before, after),
        atMs: Math.round(this.#nowMs()),
        stream: after.stream,
        kind: after.kind,
        fromNs: after.fromNs,
      });
  }

  /** The oldest events that still wait to be published, beyond a number. */
  pending(limit: number, beyond = 0): readonly OutboxEntry[] {
    const rows = this.#database
      .prepare(
        `SELECT sequence, anomaly_id AS anomalyId, type, payload, at_ms AS atMs, is_latest AS isLatest
         FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?`,
      )
      .all(beyond, limit) as StoredEntry[];
    return rows.map((row) => ({ ...row, isLatest: row.isLatest === 1 }));
  }

  /** How many events wait to be published. */
  pendingCount(): number {
    return Number(this.#database.prepare("SELECT COUNT(*) FROM outbox").pluck().get());
  }

  /** The number of the newest event that was ever written; 0 before the first. */
  newest(): number {
    return Number(this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").pluck().get() ?? 0);
  }

  /** Forget events up to this one: the broker has them. */
  published(sequence: number): void {
    this.#database.prepare("DELETE FROM outbox WHERE sequence <= ?").run(sequence);
  }
}
