import type { AnomalyChange } from "../../pipelines/signal.ts";
import type { Emit } from "../telemetry/events.ts";
import { type AnomalyRow, eventJson } from "./anomaly-event.ts";
import type { AnomalyStore } from "./anomaly-store.ts";
import type { Retention } from "./retention.ts";

/** What a recorder needs. */
export interface RecorderParts {
  readonly store: AnomalyStore;
  readonly retention: Pick<Retention, "makeRoom" | "emptyLog">;
  readonly emit: Emit;
  /** Told of the event of a change that the disk did not take. */
  readonly onUnsaved: (event: { readonly payload: string; readonly isLatest: boolean }) => void;
}

/** Bounds of what is held in memory while the disk takes nothing. */
const limits = { changes: 2000, evidenceBytes: 32 * 2 ** 20 } as const;

/** Held changes that are written between two times that the log is emptied. */
const writtenBetween = 16;

/** Codes of SQLite that tell of the disk, not of us: worth another try. */
const ofTheDisk = /^SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN|CORRUPT|NOTADB)/;

/**
 * Writes changes into the store. Where the disk is full it makes room and tries again; what the disk still does not take
 * is published from memory, held, and written, in order, as soon as it can be.
 */
export class Recorder {
  readonly #parts: RecorderParts;
  #held: AnomalyChange[] = [];
  #heldBytes = 0;
  /** The first of what is held that still has its signal. */
  #firstWithSignal = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Changes that wait for the disk. */
  get held(): number {
    return this.#held.length;
  }

  /** Write a change, or hold it. @throws what is no trouble of the disk */
  record(change: AnomalyChange): void {
    if (this.#held.length === 0) {
      const failure = this.#attempt(change);
      if (failure === undefined) return;
      if (failure.code.startsWith("SQLITE_FULL")) {
        this.#parts.retention.makeRoom();
        if (this.#attempt(change) === undefined) return;
      }
      const detail = `The database takes nothing (${failure.message}); anomalies are published and kept in memory.`;
      this.#parts.emit({ name: "DatabaseFailed", detail });
    }
    this.#hold(change);
    this.#parts.onUnsaved({ payload: unsavedEvent(change), isLatest: true });
  }

  /** Write what is held, if the disk takes it now; makes room first where it is full. */
  retry(): void {
    if (this.#held.length === 0) return;
    const before = this.#held.length;
    let failure = this.#writeHeld();
    if (failure?.code.startsWith("SQLITE_FULL")) {
      this.#parts.retention.makeRoom();
      failure = this.#writeHeld();
    }
    if (failure !== undefined) return;
    this.#parts.emit({ name: "DatabaseRecovered", detail: `${before} changes that waited for the disk are written.` });
  }

  /** Say what is lost when the program ends now. */
  giveUp(): void {
    for (const { type, anomaly } of this.#held.splice(0)) {
      if (type === "update") continue;
      const detail = `The anomaly ${anomaly.id} (${type}) was not recorded: the disk takes nothing.`;
      this.#parts.emit({ name: "AnomalyLost", stream: anomaly.stream, detail });
    }
  }

  #writeHeld(): DiskFailure | undefined {
    for (let written = 0; this.#held[0] !== undefined; written++) {
      // On a disk that is nearly full the log must not take all the room that there is.
      if (written % writtenBetween === 0) this.#parts.retention.emptyLog();
      const failure = this.#attempt(this.#held[0]);
      if (failure !== undefined) return failure;
      this.#remove(0);
    }
    return undefined;
  }

  #attempt(change: AnomalyChange): DiskFailure | undefined {
    try {
      this.#parts.store.record(change);
      return undefined;
    } catch (error) {
      const { code = "", message } = error as { code?: string; message: string };
      if (!ofTheDisk.test(code)) throw error;
      return { code, message };
    }
  }

  #hold(change: AnomalyChange): void {
    this.#held.push(change);
    this.#heldBytes += change.anomaly.evidence.samples.byteLength;
    while (this.#heldBytes > limits.evidenceBytes) this.#forgetSignal(this.#firstWithSignal++);
    if (this.#held.length <= limits.changes) return;
    const update = this.#held.findIndex(({ type }) => type === "update");
    const lost = this.#remove(Math.max(0, update));
    if (update >= 0) return;
    const detail = `The anomaly ${lost.anomaly.id} was published but not recorded: the disk takes nothing.`;
    this.#parts.emit({ name: "AnomalyLost", stream: lost.anomaly.stream, detail });
  }

  #remove(i: number): AnomalyChange {
    const [change] = this.#held.splice(i, 1);
    this.#heldBytes -= change!.anomaly.evidence.samples.byteLength;
    if (i < this.#firstWithSignal) this.#firstWithSignal--;
    return change!;
  }

  #forgetSignal(i: number): void {
    const { type, anomaly } = this.#held[i]!;
    this.#heldBytes -= anomaly.evidence.samples.byteLength;
    const evidence = { ...anomaly.evidence, samples: new Float32Array(0) };
    this.#held[i] = { type, anomaly: { ...anomaly, evidence } };
  }
}

interface DiskFailure {
  readonly code: string;
  readonly message: string;
}

/** The event of a change that no row stands for yet. */
const unsavedEvent = ({ type, anomaly }: AnomalyChange): string => {
  const { evidence: _, isSuppressed: __, ...fields } = anomaly;
  const isOver = type === "end";
  const alarm = isOver ? "returned-unacknowledged" : "active-unacknowledged";
  const row: AnomalyRow = { ...fields, state: isOver ? "ended" : "active", alarm };
  return eventJson(type, undefined, row);
};
