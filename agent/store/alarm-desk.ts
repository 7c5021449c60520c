import { stepAlarm } from "../../pipelines/decisions/alarm-state.ts";
import type { Evidence } from "../../pipelines/signal.ts";
import type { AnomalyRow } from "./anomaly-event.ts";
import type { AnomalyStore } from "./anomaly-store.ts";
import type { OpenDatabase } from "./database.ts";

/** An alarm that a person put away for a while. */
export interface Shelf {
  readonly stream: string;
  readonly kind: string;
  /** When it was shelved, and until when; ms since 1970 of this machine's clock. */
  readonly atMs: number;
  readonly untilMs: number;
  readonly by: string;
}

/** Up to which label feedback was taken: when it was given, and of which anomaly. */
export interface FeedbackMark {
  readonly atMs: number;
  readonly id: string;
}

/** An anomaly with what a person said that it was. */
export interface Feedback {
  readonly mark: FeedbackMark;
  readonly anomaly: AnomalyRow;
  readonly label: string;
  readonly evidence: Evidence | undefined;
}

/**
 * What people do about alarms: acknowledge, shelve, unshelve. Each act and its event are one transaction, so it may come
 * from another process than the agent's: the agent sees the new rows in the outbox and publishes them.
 */
export class AlarmDesk {
  readonly #database: OpenDatabase;
  readonly #store: AnomalyStore;
  readonly #nowMs: () => number;
  readonly #onAct: () => void;

  /** @param onAct told after each act: there may be something new in the outbox */
  constructor(database: OpenDatabase, store: AnomalyStore, nowMs: () => number = Date.now, onAct = (): void => {}) {
    this.#database = database;
    this.#store = store;
    this.#nowMs = nowMs;
    this.#onAct = onAct;
  }

  /**
   * Say that a person has seen an anomaly, and perhaps what it was in truth.
   * @returns the anomaly as it is now, or undefined where there is none of this id
   */
  acknowledge(id: string, { by, label }: { readonly by: string; readonly label?: string }): AnomalyRow | undefined {
    return this.#atOnce(() => {
      const before = this.#store.get(id);
      if (before === undefined) return undefined;
      this.#database
        .prepare("INSERT OR REPLACE INTO acknowledgements (anomaly_id, at_ms, by, label) VALUES (?, ?, ?, ?)")
        .run(id, Math.round(this.#nowMs()), by, label ?? null);
      return this.#move("acknowledge", before);
    });
  }

  /** Keep an alarm silent for a while: what it raises is recorded but not published. @returns what was there of it */
  shelve(shelf: Pick<Shelf, "stream" | "kind" | "by"> & { readonly forMs: number }): readonly AnomalyRow[] {
    const { stream, kind, by, forMs } = shelf;
    const atMs = Math.round(this.#nowMs());
    return this.#atOnce(() => {
      this.#database
        .prepare("INSERT OR REPLACE INTO shelves (stream, kind, at_ms, until_ms, by) VALUES (?, ?, ?, ?, ?)")
        .run(stream, kind, atMs, atMs + Math.round(forMs), by);
      const open = this.#store.list({ stream, kind }).filter(({ alarm }) => stepAlarm(alarm, "shelve") !== alarm);
      return open.map((row) => this.#move("shelve", row));
    });
  }

  /** Take an alarm out of its shelf. What is still active is told now. @returns whether it was shelved */
  unshelve(stream: string, kind: string): boolean {
    return this.#atOnce(() => {
      const { changes } = this.#database.prepare("DELETE FROM shelves WHERE stream = ? AND kind = ?").run(stream, kind);
      if (changes === 0) return false;
      for (const before of this.#store.list({ stream, kind, alarm: "shelved" })) this.#move("unshelve", before);
      return true;
    });
  }

  /**
   * End what was shelved long enough. A clock that was set back to before the shelving ends it too: better one alarm too
   * many. @returns what ended
   */
  endShelves(): readonly Shelf[] {
    const nowMs = this.#nowMs();
    const over = this.shelves().filter(({ atMs, untilMs }) => nowMs >= untilMs || nowMs < atMs - 1000);
    return over.filter(({ stream, kind }) => this.unshelve(stream, kind));
  }

  /** What is shelved, by stream and kind. */
  shelves(): readonly Shelf[] {
    return this.#database
      .prepare("SELECT stream, kind, at_ms AS atMs, until_ms AS untilMs, by FROM shelves ORDER BY stream, kind")
      .all() as Shelf[];
  }

  /**
   * The anomalies whose true label a person gave, in the order in which they did: what a model can learn from.
   * @param after those that came behind this one @param limit at most so many
   */
  feedback(after: FeedbackMark = { atMs: 0, id: "" }, limit = -1): readonly Feedback[] {
    const rows = this.#database
      .prepare(
        `SELECT anomaly_id AS id, at_ms AS atMs, label FROM acknowledgements
         WHERE label IS NOT NULL AND (at_ms, anomaly_id) > (?, ?) ORDER BY at_ms, anomaly_id LIMIT ?`,
      )
      .all(after.atMs, after.id, limit) as (FeedbackMark & { readonly label: string })[];
    return rows.map(({ label, ...mark }) => ({
      ...{ mark, label, anomaly: this.#store.get(mark.id)! },
      evidence: this.#store.evidence(mark.id),
    }));
  }

  #move(type: "acknowledge" | "shelve" | "unshelve", before: AnomalyRow): AnomalyRow {
    const released = before.state === "active" ? "release-active" : "release-returned";
    return this.#store.setAlarm(type, before, stepAlarm(before.alarm, type === "unshelve" ? released : type));
  }

  /** In one transaction that writes from its beginning, so that two processes wait for each other. */
  #atOnce<T>(work: () => T): T {
    const result = this.#database.transaction(work).immediate();
    this.#onAct();
    return result;
  }
}
