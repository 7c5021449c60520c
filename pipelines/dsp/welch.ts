import { RealFft } from "./real-fft.ts";
import { hann } from "./window.ts";

/**
 * The power spectrum of a signal by Welch's method: the mean of the periodograms of overlapping Hann segments,
 * each without its mean, one-sided and scaled so that all bins together give the signal's variance.
 * Source: Welch 1967, IEEE Trans. Audio Electroacoust. AU-15.
 */
export class Welch {
  readonly segmentSamples: number;
  readonly hopSamples: number;
  /** Frequencies 0 … segmentSamples / 2. */
  readonly bins: number;
  readonly #fft: RealFft;
  readonly #window: Float64Array;
  readonly #segment: Float64Array;
  readonly #power: Float64Array;
  readonly #gain: number;

  /** @throws RangeError unless `segmentSamples` is a power of two and `hopSamples` 1 … segmentSamples. */
  constructor({ segmentSamples, hopSamples }: { readonly segmentSamples: number; readonly hopSamples: number }) {
    if (!(Number.isInteger(hopSamples) && hopSamples >= 1 && hopSamples <= segmentSamples)) {
      throw new RangeError(`hopSamples: expected an integer in 1 … ${segmentSamples}, got ${hopSamples}`);
    }
    this.segmentSamples = segmentSamples;
    this.hopSamples = hopSamples;
    this.#fft = new RealFft(segmentSamples);
    this.bins = this.#fft.bins;
    this.#window = hann(segmentSamples);
    this.#segment = new Float64Array(segmentSamples);
    this.#power = new Float64Array(this.bins);
    this.#gain = 1 / (segmentSamples * this.#window.reduce((sum, w) => sum + w * w, 0));
  }

  /** Write the power of each bin (unit² of the signal) into `out` [bins]. Needs at least one segment of signal. */
  powerInto(signal: Float32Array, out: Float64Array): void {
    const segments = Math.floor((signal.length - this.segmentSamples) / this.hopSamples) + 1;
    const [length, bins, gain] = [this.segmentSamples, this.bins, this.#gain];
    const [window, segment, power] = [this.#window, this.#segment, this.#power];
    out.fill(0);
    for (let s = 0; s < segments; s++) {
      const from = s * this.hopSamples;
      let mean = 0;
      for (let i = 0; i < length; i++) mean += signal[from + i]!;
      mean /= length;
      for (let i = 0; i < length; i++) segment[i] = (signal[from + i]! - mean) * window[i]!;
      this.#fft.powerInto(segment, power);
      for (let k = 0; k < bins; k++) {
        const sides = k === 0 || k === bins - 1 ? 1 : 2;
        out[k]! += (sides * gain * power[k]!) / segments;
      }
    }
  }
}
