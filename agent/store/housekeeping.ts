import type { Emit } from "../telemetry/events.ts";
import type { AlarmDesk } from "./alarm-desk.ts";
import type { OpenDatabase } from "./database.ts";

/** What housekeeping needs. */
export interface HousekeepingParts {
  readonly database: OpenDatabase;
  readonly desk: AlarmDesk;
  readonly emit: Emit;
  /** There may be something new in the outbox. */
  readonly onOutbox: () => void;
}

/** What the agent does about its database beside recording; between two messages, never inside one. */
export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #seen: unknown;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
    this.#seen = this.#version();
  }

  /** Begin, once a second. */
  start(): void {
    this.#timer = setInterval(() => this.tick(), 1000).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One round: notice what another process wrote, end shelves that are over. */
  tick(): void {
    const { desk, emit, onOutbox } = this.#parts;
    try {
      for (const { stream, kind } of desk.endShelves()) {
        emit({ name: "AlarmUnshelved", stream, detail: `The alarm ${kind} was shelved long enough and speaks again.` });
        onOutbox();
      }
      const version = this.#version();
      if (version !== this.#seen) onOutbox();
      this.#seen = version;
    } catch (error) {
      emit({ name: "DatabaseFailed", detail: `Housekeeping failed: ${(error as Error).message}.` });
    }
  }

  /** Changes when another connection, that of a command, wrote. */
  #version(): unknown {
    return this.#parts.database.pragma("data_version", { simple: true });
  }
}
