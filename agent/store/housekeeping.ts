import type { Emit } from "../telemetry/events.ts";
import type { AlarmDesk } from "./alarm-desk.ts";
import type { OpenDatabase } from "./database.ts";
import type { Recorder } from "./recorder.ts";
import type { Reserve } from "./reserve.ts";
import type { Retention } from "./retention.ts";

/** What housekeeping needs. */
export interface HousekeepingParts {
  readonly database: OpenDatabase;
  readonly desk: AlarmDesk;
  readonly recorder: Recorder;
  readonly retention: Retention;
  readonly reserve: Reserve;
  readonly emit: Emit;
  readonly nowMs: () => number;
  /** There may be something new in the outbox. */
  readonly onOutbox: () => void;
}

/** Checkpoints are rare: each page is then written once for many changes. */
const checkpointEveryMs = 600_000;

/**
 * What the agent does about its database beside recording; between two messages, never inside one: write what the disk
 * did not take, notice what a command wrote, end shelves that are over, forget what is too old, checkpoint.
 */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #seen: unknown;
  #checkpointedAtMs: number;
  #changesAtCheckpoint = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
    this.#seen = this.#version();
    this.#checkpointedAtMs = parts.nowMs();
    parts.reserve.take();
  }

  /** Begin, once a second. */
  start(): void {
    this.#timer = setInterval(() => this.tick(), 1000).unref();
  }

  /** End: what is held is written or given up, and the folder holds the one file. */
  stop(): void {
    clearInterval(this.#timer);
    this.#parts.recorder.retry();
    this.#parts.recorder.giveUp();
    this.#parts.reserve.give();
  }

  /** One round. */
  tick(): void {
    const { desk, emit, onOutbox, recorder, retention, reserve, nowMs } = this.#parts;
    try {
      if (recorder.held > 0) {
        recorder.retry();
        onOutbox();
        return;
      }
      reserve.take();
      for (const { stream, kind } of desk.endShelves()) {
        emit({ name: "AlarmUnshelved", stream, detail: `The alarm ${kind} was shelved long enough and speaks again.` });
        onOutbox();
      }
      const version = this.#version();
      if (version !== this.#seen) onOutbox();
      this.#seen = version;
      retention.step(nowMs());
      this.#checkpoint();
    } catch (error) {
      emit({ name: "DatabaseFailed", detail: `Housekeeping failed: ${(error as Error).message}.` });
    }
  }

  /** Bring the log back into the database, where anything was written and it is time. */
  #checkpoint(): void {
    const nowMs = this.#parts.nowMs();
    // A clock set back must not put it off for long.
    if (Math.abs(nowMs - this.#checkpointedAtMs) < checkpointEveryMs) return;
    const changes = Number(this.#parts.database.prepare("SELECT total_changes()").pluck().get());
    if (changes !== this.#changesAtCheckpoint) this.#parts.database.pragma("wal_checkpoint(PASSIVE)");
    this.#changesAtCheckpoint = changes;
    this.#checkpointedAtMs = nowMs;
  }

  /** Changes when another connection, that of a command, wrote. */
  #version(): unknown {
    return this.#parts.database.pragma("data_version", { simple: true });
  }
}
