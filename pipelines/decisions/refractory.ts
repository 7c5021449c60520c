/** A time of rest after an end, in event time. A clock that is set back by more than the rest ends it. */
export class Refractory {
  readonly #restNs: bigint;
  #beganAtNs: bigint | undefined;

  /** @param restMs length of the rest, ms ≥ 0 */
  constructor(restMs: number) {
    this.#restNs = BigInt(Math.round(restMs * 1e6));
  }

  /** Begin the rest, ns since 1970. */
  begin(atNs: bigint): void {
    this.#beganAtNs = atNs;
  }

  /** Whether a time lies in the rest. */
  includes(atNs: bigint): boolean {
    if (this.#beganAtNs === undefined) return false;
    const sinceNs = atNs - this.#beganAtNs;
    return sinceNs < this.#restNs && -sinceNs <= this.#restNs && this.#restNs > 0n;
  }
}
