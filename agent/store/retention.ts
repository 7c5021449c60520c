import type { OpenDatabase } from "./database.ts";
import type { Reserve } from "./reserve.ts";
import type { TelemetryRing } from "./telemetry-ring.ts";

/** What a database keeps. */
export interface RetentionLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
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
    const byAge = this.#forget("to_ns < ?", this.#newestNs(nowMs) - BigInt(this.#limits.maxAgeMs) * 1_000_000n, batch);
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
   * Make room on a full disk: give up the reserve, then half of the waiting statistics, then the oldest ended anomalies.
   * @returns whether anything was given up
   */
  makeRoom(): boolean {
    this.#reserve.give();
    const statistics = this.#attempt(() => this.#ring.halve());
    const anomalies = this.#attempt(() => this.#forget("1 = ?", 1n, batch));
    this.#attempt(() => this.#shrink());
    this.#attempt(() => this.#database.pragma("wal_checkpoint(TRUNCATE)"));
    return statistics + anomalies > 0;
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
  #attempt(work: () => unknown): number {
    try {
      const result = work();
      return typeof result === "number" ? result : 0;
    } catch {
      return 0;
    }
  }
}
