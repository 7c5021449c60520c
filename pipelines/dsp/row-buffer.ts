/** Rows of interleaved samples between two stages, counted from the start of a gapless run; the front is dropped when used. */
export class RowBuffer {
  readonly channels: number;
  #data: Float32Array;
  #first = 0;
  #end = 0;

  constructor(channels: number) {
    this.channels = channels;
    this.#data = new Float32Array(256 * channels);
  }

  /** Number of the first row still held. */
  get first(): number {
    return this.#first;
  }

  /** Number of the next row to come. */
  get end(): number {
    return this.#end;
  }

  /** Take a copy of `samples` [time × channels]. */
  append(samples: Float32Array): void {
    const held = (this.#end - this.#first) * this.channels;
    if (held + samples.length > this.#data.length) {
      const larger = new Float32Array(2 * (held + samples.length));
      larger.set(this.#data.subarray(0, held));
      this.#data = larger;
    }
    this.#data.set(samples, held);
    this.#end += samples.length / this.channels;
  }

  /** A view of rows `from` … `to − 1`, good until the next change. Both must be held. */
  view(from: number, to: number): Float32Array {
    return this.#data.subarray((from - this.#first) * this.channels, (to - this.#first) * this.channels);
  }

  /** Forget the rows before `row`. */
  dropBefore(row: number): void {
    const first = Math.min(Math.max(row, this.#first), this.#end);
    this.#data.copyWithin(0, (first - this.#first) * this.channels, (this.#end - this.#first) * this.channels);
    this.#first = first;
  }
}
