/**
 * The median of the last rows, column by column. Each column's values lie in order: a new one takes the place of the
 * oldest, and those between move up or down by one.
 */
export class RunningMedians {
  readonly #columns: number;
  readonly #capacity: number;
  /** [columns × capacity], each column rising. */
  readonly #sorted: Float64Array;
  /** The rows, oldest at `#next` once full. */
  readonly #rows: Float64Array[] = [];
  #next = 0;

  constructor(columns: number, capacity: number) {
    this.#columns = columns;
    this.#capacity = capacity;
    this.#sorted = new Float64Array(columns * capacity);
  }

  get rows(): number {
    return this.#rows.length;
  }

  /** Take in a row, which must not be changed any more. */
  add(row: Float64Array): void {
    const oldest = this.#rows[this.#next];
    const held = this.#rows.length;
    for (let c = 0; c < this.#columns; c++) {
      const from = c * this.#capacity;
      let at = from + held;
      if (oldest) for (at = from; at < from + held - 1 && this.#sorted[at] !== oldest[c]; ) at++;
      const last = from + (oldest ? held : held + 1) - 1;
      const value = row[c]!;
      for (; at > from && this.#sorted[at - 1]! > value; at--) this.#sorted[at] = this.#sorted[at - 1]!;
      for (; at < last && this.#sorted[at + 1]! < value; at++) this.#sorted[at] = this.#sorted[at + 1]!;
      this.#sorted[at] = value;
    }
    this.#rows[this.#next] = row;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** The median of each column; of an even number of rows the mean of the middle two. There must be one. */
  medians(): Float64Array {
    const held = this.#rows.length;
    return Float64Array.from({ length: this.#columns }, (_, c) => {
      const middle = c * this.#capacity + (held >> 1);
      const upper = this.#sorted[middle]!;
      return held % 2 === 1 ? upper : (this.#sorted[middle - 1]! + upper) / 2;
    });
  }
}
