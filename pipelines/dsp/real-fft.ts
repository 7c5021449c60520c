import FFT from "fft.js";

/** The discrete Fourier transform of a real signal whose length is a power of two. */
export class RealFft {
  readonly samples: number;
  /** Frequencies 0 … samples / 2. */
  readonly bins: number;
  readonly #fft: FFT;
  readonly #input: Float64Array;
  readonly #spectrum: Float64Array;

  /** @throws RangeError unless `samples` is a power of two ≥ 2. */
  constructor(samples: number) {
    if (!(Number.isInteger(samples) && samples >= 2 && Number.isInteger(Math.log2(samples)))) {
      throw new RangeError(`samples: expected a power of two ≥ 2, got ${samples}`);
    }
    this.samples = samples;
    this.bins = samples / 2 + 1;
    this.#fft = new FFT(samples);
    this.#input = new Float64Array(samples);
    this.#spectrum = new Float64Array(2 * samples);
  }

  /** Write `|X[k]|²` for k = 0 … samples / 2 into `out` [bins]. A shorter `signal` is padded with zeros at its end. */
  powerInto(signal: ArrayLike<number>, out: Float64Array): void {
    const spectrum = this.#spectrum;
    if (signal.length < this.samples) this.#input.fill(0, signal.length);
    this.#input.set(signal);
    this.#fft.realTransform(spectrum, this.#input);
    for (let k = 0; k < this.bins; k++) {
      const [re, im] = [spectrum[2 * k]!, spectrum[2 * k + 1]!];
      out[k] = re * re + im * im;
    }
  }
}
