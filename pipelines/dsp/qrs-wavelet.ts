const centreHz = 14; // QRS energy peaks at 8 … 20 Hz, T waves lie below 6 Hz, muscle above 30 Hz (Elgendi 2010)
const bandwidthHz = 6; // standard deviation of the Gaussian pass band
const reach = 3; // half the length of the wavelet, standard deviations in time

/**
 * A pair of linear-phase filters for QRS complexes: a Morlet wavelet without mean, amplitude 1 at its centre.
 *
 *   band[n]     = Σ_k x[n + k] · 2 g(k) (cos ωk − c)     c so that a constant gives 0
 *   quadrature  = Σ_k x[n + k] · 2 g(k) sin ωk
 *   envelope[n] = √(band² + quadrature²)                  unit of x
 *
 * g is a Gaussian of sum 1. Both are symmetric about n: `band` has its extremum at that of a narrow peak.
 * Before the first sample it is taken to last for ever.
 */
export class QrsWavelet {
  /** How much later than its sample an output comes, samples. */
  readonly delaySamples: number;
  /** Outputs of the last `step`. */
  band = 0;
  envelope = 0;
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  /** The last samples, twice over, so that they lie in one piece from any start. */
  readonly #held: Float64Array;
  #at = 0;
  #base = Number.NaN;

  constructor(sampleRateHz: number) {
    const sigma = sampleRateHz / (2 * Math.PI * bandwidthHz);
    const half = Math.round(reach * sigma);
    const taps = 2 * half + 1;
    const omega = (2 * Math.PI * centreHz) / sampleRateHz;
    const gaussian = Float64Array.from({ length: taps }, (_, k) => Math.exp(-((k - half) ** 2) / (2 * sigma ** 2)));
    const sum = gaussian.reduce((a, b) => a + b, 0);
    const mean = gaussian.reduce((a, g, k) => a + g * Math.cos(omega * (k - half)), 0) / sum;
    this.delaySamples = half;
    this.#cosine = gaussian.map((g, k) => (2 * g * (Math.cos(omega * (k - half)) - mean)) / sum);
    this.#sine = gaussian.map((g, k) => (2 * g * Math.sin(omega * (k - half))) / sum);
    this.#held = new Float64Array(2 * taps);
  }

  /** Take in a sample; `band` and `envelope` are then those of `delaySamples` earlier. */
  step(sample: number): void {
    if (Number.isNaN(this.#base)) this.#base = sample;
    const cosine = this.#cosine;
    const sine = this.#sine;
    const held = this.#held;
    const taps = cosine.length;
    held[this.#at] = held[this.#at + taps] = sample - this.#base;
    this.#at = this.#at + 1 === taps ? 0 : this.#at + 1;
    let band = 0;
    let quadrature = 0;
    for (let k = 0, i = this.#at; k < taps; k++, i++) {
      band += cosine[k]! * held[i]!;
      quadrature += sine[k]! * held[i]!;
    }
    this.band = band;
    this.envelope = Math.sqrt(band * band + quadrature * quadrature);
  }

  /** As new. */
  reset(): void {
    this.#held.fill(0);
    this.#at = 0;
    this.#base = Number.NaN;
    this.band = 0;
    this.envelope = 0;
  }
}
