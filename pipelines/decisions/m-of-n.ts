/** Counts in how many of the last `n` frames something held. */
export class MOfN<Mark> {
  readonly #m: number;
  readonly #n: number;
  #marks: (Mark | undefined)[] = [];

  /** @throws RangeError unless 1 ≤ m ≤ n, both integers */
  constructor({ m, n }: { readonly m: number; readonly n: number }) {
    if (!(Number.isInteger(m) && Number.isInteger(n) && m >= 1 && m <= n)) {
      throw new RangeError(`confirm, window: expected integers with 1 ≤ confirm ≤ window, got ${m} and ${n}`);
    }
    this.#m = m;
    this.#n = n;
  }

  /** Note a frame: its mark, or undefined where it did not hold. Gives the marks of the window when they are enough. */
  push(mark: Mark | undefined): readonly Mark[] | undefined {
    this.#marks.push(mark);
    if (this.#marks.length > this.#n) this.#marks.shift();
    const held = this.#marks.filter((m) => m !== undefined);
    return held.length >= this.#m ? held : undefined;
  }

  /** Forget all frames. */
  reset(): void {
    this.#marks = [];
  }
}
