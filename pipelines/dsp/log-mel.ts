import { melBands, melPowerInto } from "./mel.ts";
import { RealFft } from "./real-fft.ts";
import { hann } from "./window.ts";

/** Sizes of the log-mel front end. */
export interface LogMelSettings {
  readonly sampleRateHz: number;
  readonly frameSamples: number;
  readonly fftSamples: number;
  readonly melBands: number;
  readonly lowHz: number;
  readonly highHz: number;
}

/**
 * The log-mel picture of a sound, one row a frame:
 *
 *   P = Σ_k weight[band, k] · |FFT(hann · 32768 x)[k]|²
 *   value = clip(9.865 ln P − 59.25, 0, 255)            grey levels
 *
 * Source: found by fitting pairs of WAV and picture of the Speech Commands log-mel pictures; those are rounded
 * to 8 bits, these are not. Samples are −1 … 1.
 */
export class LogMel {
  readonly bands: number;
  readonly frameSamples: number;
  readonly #window: Float64Array;
  readonly #fft: RealFft;
  readonly #bands: ReturnType<typeof melBands>;
  readonly #frame: Float64Array;
  readonly #spectrum: Float64Array;
  readonly #power: Float64Array;

  /** @throws RangeError when the sizes do not fit each other. */
  constructor(settings: LogMelSettings) {
    const { frameSamples, fftSamples, melBands: bands } = settings;
    if (!(frameSamples >= 1 && frameSamples <= fftSamples)) {
      throw new RangeError(`frameSamples: expected 1 … ${fftSamples} (fftSamples), got ${frameSamples}`);
    }
    this.bands = bands;
    this.frameSamples = frameSamples;
    this.#window = hann(frameSamples);
    this.#fft = new RealFft(fftSamples);
    this.#bands = melBands({ ...settings, bands });
    this.#frame = new Float64Array(frameSamples);
    this.#spectrum = new Float64Array(this.#fft.bins);
    this.#power = new Float64Array(bands);
  }

  /** Write the grey levels of the frame that starts at `from` into `out` [bands]. */
  frameInto(samples: Float32Array, from: number, out: Float32Array): void {
    for (let i = 0; i < this.frameSamples; i++) this.#frame[i] = 32768 * samples[from + i]! * this.#window[i]!;
    this.#fft.powerInto(this.#frame, this.#spectrum);
    melPowerInto(this.#bands, this.#spectrum, this.#power);
    for (let band = 0; band < this.bands; band++) {
      out[band] = Math.min(255, Math.max(0, 9.865 * Math.log(this.#power[band]!) - 59.25));
    }
  }
}
