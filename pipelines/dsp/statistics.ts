/** Mean and standard deviation of each channel of a stream, in one pass (Welford 1962). */
export class RunningStatistics {
  readonly channels: number;
  readonly mean: Float64Array;
  readonly #squares: Float64Array;
  #rows = 0;

  constructor(channels: number) {
    this.channels = channels;
    this.mean = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Take in rows `from` … `to − 1` of `samples` [time × channels]. */
  add(samples: Float32Array, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      this.#rows++;
      for (let c = 0; c < this.channels; c++) {
        const x = samples[row * this.channels + c]!;
        const before = x - this.mean[c]!;
        this.mean[c]! += before / this.#rows;
        this.#squares[c]! += before * (x - this.mean[c]!);
      }
    }
  }

  /** Population standard deviation of a channel; 0 before the first row. */
  std(channel: number): number {
    return this.#rows === 0 ? 0 : Math.sqrt(this.#squares[channel]! / this.#rows);
  }
}

/** The `q`-quantile of `values`, interpolated between neighbours (type 7 of Hyndman & Fan 1996); NaN of nothing. */
export const quantile = (values: ArrayLike<number>, q: number): number => {
  const sorted = Float64Array.from(values).sort();
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted.length === 0 ? Number.NaN : sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
};

/** The middle value. */
export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);
