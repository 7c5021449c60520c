/** The last `capacity` numbers of a series, oldest first. */
export class RecentValues {
  readonly #capacity: number;
  readonly #values: number[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#capacity) this.#values.shift();
  }

  /** The newest `count`, or as many as there are. */
  last(count: number): readonly number[] {
    return this.#values.slice(-count);
  }
}
