/** One second-order section: `y = b0 x + b1 x₁ + b2 x₂ − a1 y₁ − a2 y₂`. */
export interface Biquad {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** A Butterworth low-pass or high-pass. */
export interface ButterworthSpec {
  readonly kind: "lowpass" | "highpass";
  /** 1 … 12 */
  readonly order: number;
  /** Where the power is halved, Hz. */
  readonly cutoffHz: number;
  readonly sampleRateHz: number;
}

/**
 * Design a digital Butterworth filter as second-order sections, by the bilinear transform with the cut-off prewarped.
 *
 *   |H(f)|² = 1 / (1 + (tan(π f/fs) / tan(π fc/fs))^±2N)
 *
 * @throws RangeError unless 1 ≤ order ≤ 12 and 0 < cutoffHz < sampleRateHz / 2.
 */
export const butterworth = ({ kind, order, cutoffHz, sampleRateHz }: ButterworthSpec): Biquad[] => {
  if (!(Number.isInteger(order) && order >= 1 && order <= 12)) {
    throw new RangeError(`order: expected an integer in 1 … 12, got ${order}`);
  }
  if (!(cutoffHz > 0 && cutoffHz < sampleRateHz / 2)) {
    throw new RangeError(`cutoffHz: expected a frequency between 0 and ${sampleRateHz / 2} Hz, got ${cutoffHz}`);
  }
  const k = Math.tan((Math.PI * cutoffHz) / sampleRateHz);
  const sections: Biquad[] = [];
  for (let pair = 0; pair < Math.floor(order / 2); pair++) {
    const damping = 2 * Math.sin((Math.PI * (2 * pair + 1)) / (2 * order)); // 1/Q of this pair of poles
    const norm = 1 / (1 + damping * k + k * k);
    const gain = kind === "lowpass" ? k * k * norm : norm;
    const b1 = kind === "lowpass" ? 2 * gain : -2 * gain;
    sections.push({ b0: gain, b1, b2: gain, a1: 2 * (k * k - 1) * norm, a2: (1 - damping * k + k * k) * norm });
  }
  if (order % 2 === 1) {
    const norm = 1 / (1 + k);
    const gain = kind === "lowpass" ? k * norm : norm;
    sections.push({ b0: gain, b1: kind === "lowpass" ? gain : -gain, b2: 0, a1: (k - 1) * norm, a2: 0 });
  }
  return sections;
};

/** Gain of a cascade at a frequency, dimensionless. */
export const magnitudeAt = (sections: readonly Biquad[], hz: number, sampleRateHz: number): number => {
  const w = (2 * Math.PI * hz) / sampleRateHz;
  return sections.reduce((gain, { b0, b1, b2, a1, a2 }) => {
    const above = Math.hypot(b0 + b1 * Math.cos(w) + b2 * Math.cos(2 * w), b1 * Math.sin(w) + b2 * Math.sin(2 * w));
    const below = Math.hypot(1 + a1 * Math.cos(w) + a2 * Math.cos(2 * w), a1 * Math.sin(w) + a2 * Math.sin(2 * w));
    return (gain * above) / below;
  }, 1);
};

/** A cascade of sections run over interleaved channels, with its state (transposed direct form II, in doubles). */
export class BiquadCascade {
  readonly #sections: readonly Biquad[];
  readonly #channels: number;
  /** [sections × channels × 2] */
  readonly #state: Float64Array;

  constructor(sections: readonly Biquad[], channels: number) {
    this.#sections = sections;
    this.#channels = channels;
    this.#state = new Float64Array(sections.length * channels * 2);
  }

  /** Set the state as if `row` [channels] had been held for ever, so that an offset makes no transient. */
  settle(row: ArrayLike<number>): void {
    for (let c = 0; c < this.#channels; c++) {
      let x = row[c]!;
      this.#sections.forEach(({ b0, b1, b2, a1, a2 }, s) => {
        const y = (x * (b0 + b1 + b2)) / (1 + a1 + a2);
        const at = 2 * (s * this.#channels + c);
        this.#state[at + 1] = b2 * x - a2 * y;
        this.#state[at] = b1 * x - a1 * y + this.#state[at + 1]!;
        x = y;
      });
    }
  }

  /** Filter `samples` [time × channels] into a new array of the same shape. */
  run(samples: Float32Array): Float32Array {
    const out = new Float32Array(samples.length);
    const state = this.#state;
    for (let i = 0; i < samples.length; i++) {
      let x = samples[i]!;
      let at = 2 * (i % this.#channels);
      for (const { b0, b1, b2, a1, a2 } of this.#sections) {
        const y = b0 * x + state[at]!;
        state[at] = b1 * x - a1 * y + state[at + 1]!;
        state[at + 1] = b2 * x - a2 * y;
        x = y;
        at += 2 * this.#channels;
      }
      out[i] = x;
    }
    return out;
  }
}
