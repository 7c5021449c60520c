import type { AnomalyChange, Evidence } from "../../pipelines/signal.ts";
import { type AnomalyRow, type AnomalyState, eventJson, rowOf } from "./anomaly-event.ts";
import type { OpenDatabase } from "./database.ts";

/** Which anomalies; all conditions hold together. */
export interface AnomalyFilter {
  readonly stream?: string;
  readonly kind?: string;
  readonly severity?: string;
  readonly state?: AnomalyState;
  /** Those that last beyond this time, ns since 1970. */
  readonly sinceNs?: bigint;
  /** Those that begin before this time, ns since 1970. */
  readonly untilNs?: bigint;
  /** The last so many, by onset. */
  readonly limit?: number;
}

/** An event that waits to be published. */
export interface OutboxEntry {
  readonly sequence: number;
  readonly anomalyId: string;
  readonly type: AnomalyChange["type"];
  readonly payload: string;
}

interface Stored extends Omit<AnomalyRow, "peakScore" | "count"> {
  readonly peakScore: number;
  readonly count: bigint;
}

const columns = `id, stream, kind, severity, state, from_ns AS fromNs, to_ns AS toNs, peak_score AS peakScore, count, model`;

/** Anomalies with their evidence, and the outbox of events about them. */
export class AnomalyStore {
  readonly #database: OpenDatabase;
  readonly #record: (change: AnomalyChange) => AnomalyRow;

  /** @param database as `openDatabase` or, for the reading methods, `openForReading` gives it */
  constructor(database: OpenDatabase) {
    this.#database = database;
    this.#record = database.transaction((change: AnomalyChange) => this.#write(change));
  }

  /**
   * Write a change: the anomaly, its evidence and the event in one transaction, durable at return. A change that was
   * recorded before (a replay, a repeated message) leaves the same rows; only its event goes out again.
   */
  record(change: AnomalyChange): AnomalyRow {
    return this.#record(change);
  }

  /** End, as `interrupted`, what is active: of one stream whose pipeline failed, or of all at a start. @returns those */
  closeInterrupted(stream?: string): readonly AnomalyRow[] {
    return this.#database.transaction(() =>
      this.list({ state: "active", ...(stream === undefined ? {} : { stream }) }).map((before) => {
        const after: AnomalyRow = { ...before, state: "interrupted" };
        this.#database.prepare("UPDATE anomalies SET state = 'interrupted' WHERE id = ?").run(before.id);
        this.#enqueue("end", before, after);
        return after;
      }),
    )();
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
    add("to_ns >= ?", filter.sinceNs);
    add("from_ns < ?", filter.untilNs);
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const sql = `SELECT ${columns} FROM anomalies ${where} ORDER BY from_ns DESC, id DESC LIMIT ?`;
    const rows = this.#database
      .prepare(sql)
      .safeIntegers()
      .all(...values, filter.limit ?? -1);
    return (rows as Stored[]).reverse().map(fromStored);
  }

  /** One anomaly by its id. */
  get(id: string): AnomalyRow | undefined {
    const row = this.#database.prepare(`SELECT ${columns} FROM anomalies WHERE id = ?`).safeIntegers().get(id);
    return row === undefined ? undefined : fromStored(row as Stored);
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

  /** The oldest events that still wait to be published. */
  pending(limit: number): readonly OutboxEntry[] {
    return this.#database
      .prepare("SELECT sequence, anomaly_id AS anomalyId, type, payload FROM outbox ORDER BY sequence LIMIT ?")
      .all(limit) as OutboxEntry[];
  }

  /** How many events wait to be published. */
  pendingCount(): number {
    return Number(this.#database.prepare("SELECT COUNT(*) FROM outbox").pluck().get());
  }

  /** Forget events up to this one: the broker has them. */
  published(sequence: number): void {
    this.#database.prepare("DELETE FROM outbox WHERE sequence <= ?").run(sequence);
  }

  #write(change: AnomalyChange): AnomalyRow {
    const before = this.get(change.anomaly.id);
    const after = rowOf(change);
    this.#database
      .prepare(
        `INSERT INTO anomalies (id, stream, kind, severity, state, from_ns, to_ns, peak_score, count, model)
         VALUES (@id, @stream, @kind, @severity, @state, @fromNs, @toNs, @peakScore, @count, @model)
         ON CONFLICT (id) DO UPDATE SET severity = @severity, state = @state, from_ns = @fromNs, to_ns = @toNs,
           peak_score = @peakScore, count = @count, model = @model`,
      )
      .run(after);
    const { evidence } = change.anomaly;
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO evidence (anomaly_id, start_ns, sample_rate_hz, channels, samples) VALUES (?, ?, ?, ?, ?)`,
      )
      .run(
        after.id,
        evidence.startAtNs,
        evidence.sampleRateHz,
        JSON.stringify(evidence.channels),
        Buffer.from(evidence.samples.buffer, evidence.samples.byteOffset, evidence.samples.byteLength),
      );
    this.#enqueue(change.type, change.type === "new" ? undefined : before, after);
    return after;
  }

  #enqueue(type: AnomalyChange["type"], before: AnomalyRow | undefined, after: AnomalyRow): void {
    this.#database
      .prepare("INSERT INTO outbox (anomaly_id, type, payload) VALUES (?, ?, ?)")
      .run(after.id, type, eventJson(type, before, after));
  }
}

const fromStored = (row: Stored): AnomalyRow => ({ ...row, count: Number(row.count) });
