/** A time of rest after an end, in event time. */
export class Refractory {
  readonly #restNs: bigint;
  #overAtNs: bigint | undefined;

  /** @param restMs length of the rest, ms ≥ 0 */
  constructor(restMs: number) {
    this.#restNs = BigInt(Math.round(restMs * 1e6));
  }

  /** Begin the rest, ns since 1970. */
  begin(atNs: bigint): void {
    this.#overAtNs = atNs + this.#restNs;
  }

  /** Whether a time lies in the rest. */
  includes(atNs: bigint): boolean {
    return this.#overAtNs !== undefined && atNs < this.#overAtNs;
  }
}
