import type { MqttMessage } from "../mqtt/message.ts";
import type { Emit } from "../telemetry/events.ts";
import { type JournalEntry, JournalFile, recordOf } from "./journal-file.ts";
import { Unfinished } from "./unfinished.ts";

/** Size at which the file is written anew with what is still needed. */
const compactAtBytes = 4 * 2 ** 20;

/**
 * The messages of QoS 1 whose windows are not classified yet, in a file: what a killed agent had acknowledged and had
 * in its windows alone. The next start takes them up again. A message is acknowledged after `commit`.
 */
export class Journal {
  readonly #file: JournalFile;
  readonly #emit: Emit;
  readonly #streams = new Map<string, Unfinished>();
  #pending: Uint8Array[] = [];
  #compactAtBytes = compactAtBytes;

  /** @param path file of the journal; made, with its folder, at the first commit */
  constructor(path: string, emit: Emit) {
    this.#file = new JournalFile(path);
    this.#emit = emit;
  }

  /** Name a stream and how many frames its decisions look back. */
  open(stream: string, keepFrames: number): void {
    this.#streams.set(stream, new Unfinished(keepFrames));
  }

  /** What the last run left unfinished, oldest first; empty after a clean stop. */
  recover(): readonly JournalEntry[] {
    try {
      return this.#file.read();
    } catch (error) {
      this.#fail("read", error);
      return [];
    }
  }

  /** Hold a message that a stream took, with the end of its samples, ns since 1970. Messages of QoS 0 are not held. */
  take(stream: string, message: MqttMessage, toNs: bigint): void {
    const unfinished = this.#streams.get(stream);
    if (unfinished === undefined || message.qos === 0) return;
    const record = recordOf({ stream, message });
    unfinished.add(toNs, record);
    this.#pending.push(record);
  }

  /** A frame of a stream that begins at this time, ns since 1970, was classified. */
  classified(stream: string, fromNs: bigint): void {
    this.#streams.get(stream)?.classified(fromNs);
  }

  /** Bring to the file what was taken. Where the disk refuses, that is told and the agent goes on without. */
  commit(): void {
    if (this.#pending.length === 0) return;
    const records = this.#pending;
    this.#pending = [];
    try {
      if (this.#file.bytes < this.#compactAtBytes) {
        this.#file.append(records);
        return;
      }
      const needed = [...this.#streams.values()].flatMap((unfinished) => unfinished.records());
      this.#file.replace(needed);
      this.#compactAtBytes = Math.max(compactAtBytes, 2 * this.#file.bytes);
    } catch (error) {
      this.#fail("written", error);
    }
  }

  /** All streams ended: nothing is unfinished. */
  remove(): void {
    this.#pending = [];
    this.#file.remove();
  }

  #fail(verb: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `The journal could not be ${verb}: ${why}. A crash now would lose the windows in progress.`;
    this.#emit({ name: "JournalFailed", detail });
  }
}
