/** Filters and detectors settle in this time: signal before the first window that is needed. */
const preRollNs = 2_000_000_000n;

/** Bounds of what one stream may have unfinished; beyond them the oldest is given up. */
const limits = { entries: 4096, bytes: 4 * 2 ** 20 } as const;

interface Held {
  readonly toNs: bigint;
  readonly record: Uint8Array;
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

  /** The records held, oldest first. */
  records(): Uint8Array[] {
    return this.#held.map(({ record }) => record);
  }

  /** Hold a message whose samples end at this time, ns since 1970. */
  add(toNs: bigint, record: Uint8Array): void {
    this.#held.push({ toNs, record });
    this.#bytes += record.length;
    while (this.#held.length > limits.entries || this.#bytes > limits.bytes) this.#drop();
  }

  /** A frame that begins at this time, ns since 1970, was classified. */
  classified(fromNs: bigint): void {
    this.#fromNs.push(fromNs);
    if (this.#fromNs.length > this.#keepFrames) this.#fromNs.shift();
    if (this.#fromNs.length < this.#keepFrames) return;
    const neededFromNs = this.#fromNs[0]! - preRollNs;
    while (this.#held.length > 0 && this.#held[0]!.toNs <= neededFromNs) this.#drop();
  }

  #drop(): void {
    this.#bytes -= this.#held.shift()!.record.length;
  }
}
