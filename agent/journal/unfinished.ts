/** Filters and detectors settle in this time: signal before the first window that is needed. */
const preRollNs = 2_000_000_000n;

/** Bounds of what one stream may have unfinished; beyond them the oldest is given up. */
const limits = { entries: 4096, bytes: 4 * 2 ** 20 } as const;

/** A message in the file of the journal. */
export interface Held {
  /** End of its samples, ns since 1970. */
  readonly toNs: bigint;
  /** Where its record begins in the file. */
  at: number;
  readonly bytes: number;
}

/**
 * The messages of one stream that a window yet to come may still need: those that reach beyond the beginning of the
 * frame `keepFrames` classifications ago. Windows begin in order, so none to come begins before the last; the frames
 * before it are what a decision looks back to. Two seconds more let filters settle.
 */
export class Unfinished {
  readonly #keepFrames: number;
  #held: Held[] = [];
  #bytes = 0;
  #fromNs: bigint[] = [];

  /** @param keepFrames frames that decisions look back, ≥ 1 */
  constructor(keepFrames: number) {
    this.#keepFrames = keepFrames;
  }

  /** Bytes of the records held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is held, oldest first. */
  get held(): readonly Held[] {
    return this.#held;
  }

  /** When the last frame that was classified begins, ns since 1970; undefined: none was. */
  get lastFromNs(): bigint | undefined {
    return this.#fromNs.at(-1);
  }

  /** Hold a message. */
  add(held: Held): void {
    this.#held.push(held);
    this.#bytes += held.bytes;
    while (this.#held.length > limits.entries || this.#bytes > limits.bytes) this.#drop(1);
  }

  /** A frame that begins at this time, ns since 1970, was classified. */
  classified(fromNs: bigint): void {
    this.#fromNs.push(fromNs);
    if (this.#fromNs.length > this.#keepFrames) this.#fromNs.shift();
    if (this.#fromNs.length < this.#keepFrames) return;
    const neededFromNs = this.#fromNs[0]! - preRollNs;
    let finished = 0;
    while (finished < this.#held.length && this.#held[finished]!.toNs <= neededFromNs) finished++;
    if (finished > 0) this.#drop(finished);
  }

  /** Hold nothing any more. */
  clear(): void {
    this.#drop(this.#held.length);
  }

  #drop(count: number): void {
    for (const { bytes } of this.#held.splice(0, count)) this.#bytes -= bytes;
  }
}
