import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** A piece of the file. */
export interface Range {
  readonly at: number;
  readonly bytes: number;
}

/** A file that is appended to. What was written outlasts the process, not a power cut: nothing is synced. */
export class JournalFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes that this run has in the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the last run left; empty where there is no file. */
  read(): Buffer {
    return existsSync(this.#path) ? readFileSync(this.#path) : Buffer.alloc(0);
  }

  /** Append bytes; the first of a run take the place of what the last one left. @throws where the disk refuses */
  append(bytes: Buffer): void {
    if (this.#descriptor === undefined) {
      this.#replace(bytes);
      return;
    }
    writeAll(this.#descriptor, bytes);
    this.#bytes += bytes.length;
  }

  /** Keep of the file these pieces, in this order, and nothing else; atomic. @throws where the disk refuses */
  keep(pieces: readonly Range[]): void {
    const bytes = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + piece.bytes, 0));
    let to = 0;
    for (const piece of pieces) to += readSync(this.#descriptor!, bytes, to, piece.bytes, piece.at);
    if (to < bytes.length) throw new Error(`${this.#path}: expected ${bytes.length} bytes, got ${to}`);
    this.#replace(bytes);
  }

  /** Close it as it is; the next bytes begin anew. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#bytes = 0;
  }

  /** Close and delete. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
    rmSync(`${this.#path}.next`, { force: true });
  }

  #replace(bytes: Buffer): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.next`;
    const descriptor = openSync(next, "w+", 0o600);
    try {
      writeAll(descriptor, bytes);
      renameSync(next, this.#path);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    this.close();
    this.#descriptor = descriptor;
    this.#bytes = bytes.length;
  }
}

const writeAll = (descriptor: number, bytes: Buffer): void => {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
};
