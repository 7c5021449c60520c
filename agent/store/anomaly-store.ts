import { type AlarmStateName, stepAlarm } from "../../pipelines/decisions/alarm-state.ts";
import type { AnomalyChange, Evidence } from "../../pipelines/signal.ts";
import { type Acknowledgement, type AnomalyRow, type AnomalyState, type EventType, isTold } from "./anomaly-event.ts";
import type { OpenDatabase } from "./database.ts";
import { Outbox } from "./outbox.ts";

/** Which anomalies; all conditions hold together. */
export interface AnomalyFilter {
  readonly stream?: string;
  readonly kind?: string;
  readonly severity?: string;
  readonly state?: AnomalyState;
  readonly alarm?: AlarmStateName;
  /** Those that last beyond this time, ns since 1970. */
  readonly sinceNs?: bigint;
  /** Those that begin before this time, ns since 1970. */
  readonly untilNs?: bigint;
  /** The last so many, by onset. */
  readonly limit?: number;
}

interface Stored extends Omit<AnomalyRow, "count" | "acknowledgement"> {
  readonly count: bigint;
  readonly isTold: bigint;
  readonly atMs: bigint | null;
  readonly by: string | null;
  readonly label: string | null;
}

const selected = `SELECT id, stream, kind, severity, state, alarm, from_ns AS fromNs, to_ns AS toNs, peak_score AS peakScore,
  count, model, is_told AS isTold, at_ms AS atMs, by, label
  FROM anomalies LEFT JOIN acknowledgements ON anomaly_id = id`;

/** Anomalies with their evidence, and the outbox of events about them. */
export class AnomalyStore {
  readonly outbox: Outbox;
  readonly #database: OpenDatabase;
  readonly #record: (change: AnomalyChange) => AnomalyRow;
  /** What the database holds of anomalies that are open: evidence is written when it changed, not with each update. */
  readonly #written = new Map<string, Evidence>();

  /**
   * @param database as `openDatabase` or, for the reading methods, `openForReading` gives it
   * @param nowMs    ms since 1970, for the times of events
   */
  constructor(database: OpenDatabase, nowMs: () => number = Date.now) {
    this.#database = database;
    this.outbox = new Outbox(database, nowMs);
    this.#record = database.transaction((change: AnomalyChange) => this.#write(change)).immediate;
  }

  /**
   * Write a change: the anomaly, its evidence and the event in one transaction, durable at return. A change that was
   * recorded before (a replay, a repeated message) leaves the same rows; only its event goes out again.
   */
  record(change: AnomalyChange): AnomalyRow {
    const { id, evidence } = change.anomaly;
    try {
      const row = this.#record(change);
      if (change.type === "end") this.#written.delete(id);
      else this.#written.set(id, evidence);
      return row;
    } catch (error) {
      this.#written.delete(id);
      throw error;
    }
  }

  /** End, as `interrupted`, what is active: of one stream whose pipeline failed, or of all at a start. @returns those */
  closeInterrupted(stream?: string): readonly AnomalyRow[] {
    const close = this.#database.prepare("UPDATE anomalies SET state = ?, alarm = ? WHERE id = ?");
    const work = this.#database.transaction(() =>
      this.list({ state: "active", ...(stream === undefined ? {} : { stream }) }).map((before) => {
        const after: AnomalyRow = { ...before, state: "interrupted", alarm: stepAlarm(before.alarm, "return") };
        close.run(after.state, after.alarm, after.id);
        this.#tell("end", before, after);
        return after;
      }),
    );
    return work.immediate();
  }

  /** Put an alarm into a state, with the event that tells of it, where it is told; inside the caller's transaction. */
  setAlarm(type: EventType, before: AnomalyRow, alarm: AlarmStateName): AnomalyRow {
    this.#database.prepare("UPDATE anomalies SET alarm = ? WHERE id = ?").run(alarm, before.id);
    const after = this.get(before.id)!;
    this.#tell(type, before, after);
    return after;
  }

  /** Anomalies in order of onset. */
  list(filter: AnomalyFilter = {}): readonly AnomalyRow[] {
    const conditions: string[] = [];
    const values: (string | bigint | number)[] = [];
    const add = (condition: string, value: string | bigint | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add("stream = ?", filter.stream);
    add("kind = ?", filter.kind);
    add("severity = ?", filter.severity);
    add("state = ?", filter.state);
    add("alarm = ?", filter.alarm);
    add("to_ns >= ?", filter.sinceNs);
    add("from_ns < ?", filter.untilNs);
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const rows = this.#database
      .prepare(`${selected} ${where} ORDER BY from_ns DESC, id DESC LIMIT ?`)
      .safeIntegers()
      .all(...values, filter.limit ?? -1);
    return (rows as Stored[]).reverse().map(fromStored);
  }

  /** One anomaly by its id. */
  get(id: string): AnomalyRow | undefined {
    const row = this.#stored(id);
    return row && fromStored(row);
  }

  /** The piece of signal behind an anomaly. */
  evidence(id: string): Evidence | undefined {
    const row = this.#database
      .prepare("SELECT start_ns, sample_rate_hz, channels, samples FROM evidence WHERE anomaly_id = ?")
      .safeIntegers()
      .get(id) as { start_ns: bigint; sample_rate_hz: number; channels: string; samples: Buffer } | undefined;
    if (row === undefined) return undefined;
    return {
      startAtNs: row.start_ns,
      sampleRateHz: row.sample_rate_hz,
      channels: JSON.parse(row.channels) as string[],
      samples: new Float32Array(new Uint8Array(row.samples).buffer),
    };
  }

  #stored(id: string): Stored | undefined {
    return this.#database.prepare(`${selected} WHERE id = ?`).safeIntegers().get(id) as Stored | undefined;
  }

  #write({ type, anomaly }: AnomalyChange): AnomalyRow {
    const { evidence, isSuppressed = false, ...fields } = anomaly;
    const before = this.get(anomaly.id);
    const state = type === "end" ? "ended" : "active";
    const alarm = this.#alarmAfter(before, { ...fields, state, isSuppressed });
    this.#database
      .prepare(
        `INSERT INTO anomalies (id, stream, kind, severity, state, alarm, from_ns, to_ns, peak_score, count, model, is_told)
         VALUES (@id, @stream, @kind, @severity, @state, @alarm, @fromNs, @toNs, @peakScore, @count, @model, 0)
         ON CONFLICT (id) DO UPDATE SET severity = @severity, state = @state, alarm = @alarm, from_ns = @fromNs,
           to_ns = @toNs, peak_score = @peakScore, count = @count, model = @model`,
      )
      .run({ ...fields, state, alarm });
    if (this.#written.get(anomaly.id) !== evidence) this.#writeEvidence(anomaly.id, evidence);
    const after = this.get(anomaly.id)!;
    this.#tell(type, type === "new" ? undefined : before, after);
    return after;
  }

  #alarmAfter(
    before: AnomalyRow | undefined,
    now: { stream: string; kind: string; state: AnomalyState; isSuppressed: boolean },
  ): AlarmStateName {
    const isActive = now.state === "active";
    let alarm = before?.alarm ?? "normal";
    if (isActive && before?.state !== "active") alarm = stepAlarm(alarm, "raise");
    if (!isActive) alarm = stepAlarm(alarm, "return");
    if (now.isSuppressed) alarm = stepAlarm(alarm, "suppress");
    else if (alarm === "suppressed") alarm = stepAlarm(alarm, isActive ? "release-active" : "release-returned");
    const shelf = this.#database.prepare("SELECT 1 FROM shelves WHERE stream = ? AND kind = ?");
    return isActive && shelf.get(now.stream, now.kind) !== undefined ? stepAlarm(alarm, "shelve") : alarm;
  }

  #writeEvidence(id: string, { startAtNs, sampleRateHz, channels, samples }: Evidence): void {
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO evidence (anomaly_id, start_ns, sample_rate_hz, channels, samples) VALUES (?, ?, ?, ?, ?)`,
      )
      .run(id, startAtNs, sampleRateHz, JSON.stringify(channels), bytes);
  }

  /**
   * Put the event of a change into the outbox. What is shelved or suppressed is not told; what becomes audible while it is
   * active is told as new; and what was told once always gets its end.
   */
  #tell(type: EventType, before: AnomalyRow | undefined, after: AnomalyRow): void {
    const wasTold = this.#stored(after.id)?.isTold === 1n;
    if (!wasTold) {
      const isOver = after.state !== "active";
      if (!isTold(after) || (isOver && before !== undefined)) return;
      this.#database.prepare("UPDATE anomalies SET is_told = 1 WHERE id = ?").run(after.id);
      this.outbox.enqueue(isOver ? type : "new", undefined, after);
      return;
    }
    const staysSilent = before !== undefined && !isTold(before) && !isTold(after);
    if (type === "update" && staysSilent) return;
    this.outbox.enqueue(type, before, after);
  }
}

const fromStored = ({ count, isTold: _, atMs, by, label, ...row }: Stored): AnomalyRow => {
  if (atMs === null || by === null) return { ...row, count: Number(count) };
  const acknowledgement: Acknowledgement = { atMs: Number(atMs), by, ...(label === null ? {} : { label }) };
  return { ...row, count: Number(count), acknowledgement };
};
