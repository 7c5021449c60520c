import type { OpenDatabase } from "./database.ts";
import type { Reserve } from "./reserve.ts";
import type { TelemetryRing } from "./telemetry-ring.ts";

/** What a database keeps. */
export interface RetentionLimits {
  readonly maxBytes: number;
  /** Undefined: any age. */
  readonly maxAgeMs: number | undefined;
}

/** Anomalies that one step deletes: the agent waits for it, so it is short. */
const batch = 16;
/** The same while the database is too large: as few as bring it back below. */
const smallBatch = 4;
/** Pages that one step gives back to the disk. */
const vacuumPages = 256;

/**
 * Forgets the oldest anomalies that have ended, with their evidence, by age and by size of the database; never one that is
 * active, never an event that waits to be published. It works in small steps, so that nothing waits for it, and gives
 * the room back to the disk.
 */
export class Retention {
  readonly #database: OpenDatabase;
  readonly #limits: RetentionLimits;
  readonly #ring: TelemetryRing;
  readonly #reserve: Reserve;

  constructor(
    database: OpenDatabase,
    limits: RetentionLimits,
    { ring, reserve }: { readonly ring: TelemetryRing; readonly reserve: Reserve },
  ) {
    this.#database = database;
    this.#limits = limits;
    this.#ring = ring;
    this.#reserve = reserve;
  }

  /** One step. @returns how many anomalies it forgot */
  step(nowMs: number): number {
    const { maxAgeMs } = this.#limits;
    const byAge =
      maxAgeMs === undefined
        ? 0
        : this.#forget("to_ns < ?", this.#newestNs(nowMs) - BigInt(Math.round(maxAgeMs)) * 1_000_000n, batch);
    const bySize = this.usedBytes() > this.#limits.maxBytes ? this.#forget("1 = ?", 1n, smallBatch) : 0;
    this.#shrink();
    return byAge + bySize;
  }

  /** What age is counted from: this machine's clock or the newest anomaly's, whichever is less, in case one has gone wild. */
  #newestNs(nowMs: number): bigint {
    const nowNs = BigInt(Math.round(nowMs)) * 1_000_000n;
    const newest = this.#database.prepare("SELECT MAX(to_ns) FROM anomalies").pluck().safeIntegers().get() as
      | bigint
      | null;
    return newest !== null && newest < nowNs ? newest : nowNs;
  }

  /** Bytes of the database in use, without pages that are free. */
  usedBytes(): number {
    const [pages, free, size] = ["page_count", "freelist_count", "page_size"].map((name) =>
      Number(this.#database.pragma(name, { simple: true })),
    ) as [number, number, number];
    return (pages - free) * size;
  }

  /**
   * Make room on a full disk: the reserve lets the log be brought back and emptied; then half of the waiting statistics and
   * the oldest anomalies that have ended are given up.
   */
  makeRoom(): void {
    this.#reserve.give();
    this.emptyLog();
    this.#attempt(() => this.#ring.halve());
    this.#attempt(() => this.#forget("1 = ?", 1n, batch));
    this.#attempt(() => this.#shrink());
    this.emptyLog();
    this.#reserve.take();
  }

  /** Bring the log back into the database and cut it to nothing, if the disk takes that now. */
  emptyLog(): void {
    this.#attempt(() => this.#database.pragma("wal_checkpoint(TRUNCATE)"));
  }

  #forget(condition: string, value: bigint, limit: number): number {
    return this.#database
      .prepare(
        `DELETE FROM anomalies WHERE id IN
           (SELECT id FROM anomalies WHERE state <> 'active' AND ${condition} ORDER BY from_ns, id LIMIT ?)`,
      )
      .run(value, limit).changes;
  }

  #shrink(): void {
    if (Number(this.#database.pragma("freelist_count", { simple: true })) > vacuumPages) {
      this.#database.pragma(`incremental_vacuum(${vacuumPages})`);
    }
  }

  /** Do what may fail on a full disk: the next step may still help. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch {
      // Still full.
    }
  }
}
