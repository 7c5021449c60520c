/**
 * A line through the time stamps of a sender, by least squares over the last of them: when each of its samples was, and
 * how many of them it takes in a second by its own clock.
 *
 *   t(row) = t̄ + s · (row − r̄)     s = Σ (r − r̄)(t − t̄) / Σ (r − r̄)²
 *
 * Stamps that jitter by σ give the rate to σ √12 / (T √n) over n stamps in T seconds.
 */
export class ClockFit {
  readonly #nominalHz: number;
  readonly #tolerance: number;
  readonly #size: number;
  #stamps: { readonly row: number; readonly seconds: number }[] = [];
  #mean = { row: 0, seconds: 0 };
  #secondsARow: number;

  /**
   * @param tolerance how far the rate may be from the nominal one, as a part of it
   * @param size      stamps that are looked back on
   */
  constructor({
    nominalHz,
    tolerance,
    size,
  }: { readonly nominalHz: number; readonly tolerance: number; readonly size: number }) {
    this.#nominalHz = nominalHz;
    this.#tolerance = tolerance;
    this.#size = size;
    this.#secondsARow = 1 / nominalHz;
  }

  /** Samples a second, by the sender's clock. */
  get rateHz(): number {
    return 1 / this.#secondsARow;
  }

  /** Stamps taken so far, of those looked back on. */
  get stamps(): number {
    return this.#stamps.length;
  }

  /** Take in that a row was stamped at a time, s. Rows grow. */
  add(row: number, seconds: number): void {
    this.#stamps.push({ row, seconds });
    if (this.#stamps.length > this.#size) this.#stamps.shift();
    const n = this.#stamps.length;
    const row0 = this.#stamps.reduce((sum, stamp) => sum + stamp.row, 0) / n;
    const seconds0 = this.#stamps.reduce((sum, stamp) => sum + stamp.seconds, 0) / n;
    let [covariance, variance] = [0, 0];
    for (const stamp of this.#stamps) {
      covariance += (stamp.row - row0) * (stamp.seconds - seconds0);
      variance += (stamp.row - row0) ** 2;
    }
    this.#mean = { row: row0, seconds: seconds0 };
    if (variance === 0) return;
    const [fastest, slowest] = [1 + this.#tolerance, 1 - this.#tolerance].map((part) => 1 / (part * this.#nominalHz));
    this.#secondsARow = Math.min(slowest!, Math.max(fastest!, covariance / variance));
  }

  /** When a row was, s. */
  at(row: number): number {
    return this.#mean.seconds + (row - this.#mean.row) * this.#secondsARow;
  }
}
