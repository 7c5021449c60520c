import type { MqttMessage } from "../mqtt/message.ts";
import type { Emit } from "../telemetry/events.ts";
import { JournalFile } from "./journal-file.ts";
import { entriesOf, type JournalEntry, recordBytes, writeRecord } from "./record.ts";
import { type Held, Unfinished } from "./unfinished.ts";

/** Size at which the file is cut down to what is still needed. */
const compactAtBytes = 4 * 2 ** 20;

/**
 * The messages of QoS 1 whose windows are not classified yet, in a file: what a killed agent had acknowledged and had
 * in its windows alone. The next start takes them up again. A message is acknowledged after `commit`.
 */
export class Journal {
  readonly #file: JournalFile;
  readonly #emit: Emit;
  readonly #streams = new Map<string, Unfinished>();
  /** Records that are not in the file yet, one after the other. */
  #pending = Buffer.allocUnsafe(16_384);
  #pendingBytes = 0;
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
      return entriesOf(this.#file.read());
    } catch (error) {
      this.#fail("read", error);
      return [];
    }
  }

  /**
   * Hold a message that a stream took, with the end of its samples, ns since 1970, and the number of the inference that was
   * next before it. Messages of QoS 0 are not held.
   */
  take(stream: string, message: MqttMessage, toNs: bigint, inference?: number): void {
    const unfinished = this.#streams.get(stream);
    if (unfinished === undefined || message.qos === 0) return;
    const entry = { stream, message, inference, frameFromNs: unfinished.lastFromNs };
    const bytes = recordBytes(entry);
    if (this.#pendingBytes + bytes > this.#pending.length) this.#grow(bytes);
    unfinished.add({ toNs, at: this.#file.bytes + this.#pendingBytes, bytes });
    this.#pendingBytes = writeRecord(this.#pending, this.#pendingBytes, entry);
  }

  /** A frame of a stream that begins at this time, ns since 1970, was classified. */
  classified(stream: string, fromNs: bigint): void {
    this.#streams.get(stream)?.classified(fromNs);
  }

  /** Bring to the file what was taken. Where the disk refuses, that is told and the agent goes on without. */
  commit(): void {
    if (this.#pendingBytes === 0) return;
    const bytes = this.#pending.subarray(0, this.#pendingBytes);
    this.#pendingBytes = 0;
    try {
      this.#file.append(bytes);
      if (this.#file.bytes >= this.#compactAtBytes) this.#compact();
    } catch (error) {
      // Where the records lie is not known any more: begin a new file with what comes.
      for (const unfinished of this.#streams.values()) unfinished.clear();
      this.#file.close();
      this.#fail("written", error);
    }
  }

  /** All streams ended: nothing is unfinished. */
  remove(): void {
    this.#pendingBytes = 0;
    this.#file.remove();
  }

  #compact(): void {
    const needed = [...this.#streams.values()].flatMap(({ held }) => held).sort((a: Held, b: Held) => a.at - b.at);
    this.#file.keep(needed);
    let at = 0;
    for (const held of needed) {
      held.at = at;
      at += held.bytes;
    }
    this.#compactAtBytes = Math.max(compactAtBytes, 2 * at);
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(2 * (this.#pendingBytes + bytes));
    this.#pending.copy(larger, 0, 0, this.#pendingBytes);
    this.#pending = larger;
  }

  #fail(verb: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `The journal could not be ${verb}: ${why}. A crash now would lose the windows in progress.`;
    this.#emit({ name: "JournalFailed", detail });
  }
}
