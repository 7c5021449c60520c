/** A message that comes later than this after the end of the one before begins anew. */
const pauseNs = 2_000_000_000n;

/**
 * The time of blocks whose sender has no clock. The first block ends when it was received; the next begin where the
 * one before ended, so that delays on the way make no gaps; after a pause of more than 2 s time is taken anew from the
 * receipt. Blocks that come faster than their samples run ahead of the clock: so does a fast replay.
 */
export class RunningTime {
  #endAtNs: bigint | undefined;

  /** Start of a block of this duration; the next one follows it. */
  startOf(durationNs: bigint, receivedAtNs: bigint): bigint {
    const atNs = receivedAtNs - durationNs;
    const isNew = this.#endAtNs === undefined || atNs - this.#endAtNs > pauseNs;
    const startAtNs = isNew || this.#endAtNs === undefined ? (atNs < 0n ? 0n : atNs) : this.#endAtNs;
    this.#endAtNs = startAtNs + durationNs;
    return startAtNs;
  }
}
