/** Rows of interleaved samples between two stages, counted from the start of a gapless run; the front is dropped when used. */
export class RowBuffer {
  readonly channels: number;
  #data: Float32Array;
  /** Where the first row lies in `#data`; the front is moved only when the end is reached, not at each drop. */
  #offset = 0;
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
    if (this.#offset + held + samples.length > this.#data.length) {
      // Twice what is needed, so that rows move once in as many as are held.
      const needed = 2 * (held + samples.length);
      const target = needed > this.#data.length ? new Float32Array(needed) : this.#data;
      target.set(this.#data.subarray(this.#offset, this.#offset + held));
      this.#data = target;
      this.#offset = 0;
    }
    this.#data.set(samples, this.#offset + held);
    this.#end += samples.length / this.channels;
  }

  /** A view of rows `from` … `to − 1`, good until the next change. Both must be held. */
  view(from: number, to: number): Float32Array {
    const start = this.#offset - this.#first * this.channels;
    return this.#data.subarray(start + from * this.channels, start + to * this.channels);
  }

  /** Forget the rows before `row`. */
  dropBefore(row: number): void {
    const first = Math.min(Math.max(row, this.#first), this.#end);
    this.#offset += (first - this.#first) * this.channels;
    this.#first = first;
  }
}
