import type { OpenDatabase } from "./database.ts";

/** A message of statistics that could not be published when it was made. */
export interface RingEntry {
  readonly sequence: number;
  /** When it was made, ms since 1970 of this machine's clock. */
  readonly atMs: number;
  readonly topic: string;
  /** A JSON object. */
  readonly payload: string;
}

/** How much a ring keeps. */
export interface RingLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** Statistics that wait for the broker. The oldest give way when they are too many or too old. */
export class TelemetryRing {
  readonly #database: OpenDatabase;
  readonly #limits: RingLimits;

  constructor(database: OpenDatabase, limits: RingLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Add messages, in one transaction. @returns how many old ones gave way */
  add(entries: readonly Omit<RingEntry, "sequence">[]): number {
    const insert = this.#database.prepare(
      "INSERT INTO telemetry (at_ms, topic, payload) VALUES (@atMs, @topic, @payload)",
    );
    const work = this.#database.transaction(() => {
      for (const entry of entries) insert.run(entry);
      return this.#trim(entries.at(-1)?.atMs ?? 0);
    });
    return work.immediate();
  }

  /** The oldest messages, beyond a number. */
  oldest(limit: number, beyond = 0): readonly RingEntry[] {
    return this.#database
      .prepare(
        "SELECT sequence, at_ms AS atMs, topic, payload FROM telemetry WHERE sequence > ? ORDER BY sequence LIMIT ?",
      )
      .all(beyond, limit) as RingEntry[];
  }

  /** Forget messages up to this one: the broker has them. */
  published(sequence: number): void {
    this.#database.prepare("DELETE FROM telemetry WHERE sequence <= ?").run(sequence);
  }

  /** Forget the older half, to make room for what matters more. @returns how many */
  halve(): number {
    const count = Number(this.#database.prepare("SELECT COUNT(*) FROM telemetry").pluck().get());
    return this.#forgetOldest(Math.ceil(count / 2));
  }

  #trim(nowMs: number): number {
    const old = this.#database.prepare("DELETE FROM telemetry WHERE at_ms < ?").run(nowMs - this.#limits.maxAgeMs);
    // Rows of statistics are alike: the share of bytes above the limit is the share of rows to give up.
    const { count, bytes } = this.#database
      .prepare("SELECT COUNT(*) AS count, COALESCE(SUM(LENGTH(topic) + LENGTH(payload)), 0) AS bytes FROM telemetry")
      .get() as { count: number; bytes: number };
    const above = bytes - this.#limits.maxBytes;
    return old.changes + (above <= 0 ? 0 : this.#forgetOldest(Math.ceil((count * above) / bytes)));
  }

  #forgetOldest(count: number): number {
    const oldest = "DELETE FROM telemetry WHERE sequence IN (SELECT sequence FROM telemetry ORDER BY sequence LIMIT ?)";
    return this.#database.prepare(oldest).run(count).changes;
  }
}
