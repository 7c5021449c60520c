import { kaiser } from "./window.ts";

const zeroCrossings = 32; // each side, at the lower of the two rates
const beta = 7.86; // 80 dB
const cutoff = 0.92; // of the lower Nyquist frequency: pass band to 0.84, stop band from 1.0
const finestPhases = 512;
const tunedUnit = 2 ** 24;

/**
 * Changes the rate of a stream, by any ratio, with a windowed sinc (Kaiser, 80 dB, pass band to 0.84 of the lower
 * Nyquist frequency). Output sample k stands at the time of `k / toHz` after the first input: no delay, but the
 * output lags by 32 samples of the lower rate. Outside the signal its first and last sample are held.
 *
 *   y[k] = Σ_j h(frac − j) x[⌊p⌋ + j]     p = k · fromHz / toHz
 *
 * The ratio is kept as a fraction of integers (rates to 1 µHz), so that positions never drift. Where it
 * is simple each phase has its own taps; else taps are interpolated between 512 phases (fewer the more the rate falls).
 */
export class Resampler {
  readonly #channels: number;
  readonly #toHz: number;
  #step: number; // input micro-steps an output
  readonly #unit: number; // micro-steps an input sample
  readonly #half: number;
  readonly #phases: number;
  /** [phases + 1 × taps] */
  readonly #taps: Float64Array;
  #held: Float32Array;
  #heldFrom = 0; // row number of the first held row; rows before 0 are the first sample, held
  #rows = 0;
  #row = 0; // ⌊p⌋ of the next output
  #phase = 0; // (p − ⌊p⌋) · unit

  /** @throws RangeError unless both rates are positive and within a factor of 256 of each other. */
  constructor({
    fromHz,
    toHz,
    channels,
    isTuned = false,
  }: {
    readonly fromHz: number;
    readonly toHz: number;
    readonly channels: number;
    /** Whether `fromHz` will be tuned as the signal goes on; the ratio is then kept to 2⁻²⁴. */
    readonly isTuned?: boolean;
  }) {
    if (!(fromHz > 0 && toHz > 0 && fromHz / toHz <= 256 && toHz / fromHz <= 256)) {
      throw new RangeError(`fromHz, toHz: expected positive rates within a factor of 256, got ${fromHz} and ${toHz}`);
    }
    const [from, to] = [Math.max(1, Math.round(fromHz * 1e6)), Math.max(1, Math.round(toHz * 1e6))];
    const divisor = greatestCommonDivisor(from, to);
    this.#channels = channels;
    this.#toHz = toHz;
    this.#step = isTuned ? Math.round((fromHz / toHz) * tunedUnit) : from / divisor;
    this.#unit = isTuned ? tunedUnit : to / divisor;
    const bandwidth = Math.min(1, toHz / fromHz);
    this.#half = Math.ceil(zeroCrossings / bandwidth);
    // A tap filter stretched over more samples changes as much less from phase to phase.
    this.#phases = Math.min(this.#unit, Math.max(16, Math.ceil(finestPhases * bandwidth)));
    this.#taps = designTaps(this.#phases, this.#half, bandwidth);
    this.#held = new Float32Array(0);
  }

  /** Row of the input, since its first, at which the next output stands; it need not be whole. */
  get position(): number {
    return this.#row + this.#phase / this.#unit;
  }

  /** Set the rate of the input from the next output on, Hz; only of one that `isTuned`, and near its first rate. */
  tune(fromHz: number): void {
    this.#step = Math.round((fromHz / this.#toHz) * this.#unit);
  }

  /** Take `samples` [time × channels]; give the outputs that are ready [time × channels]. */
  push(samples: Float32Array): Float32Array {
    if (samples.length === 0) return new Float32Array(0);
    if (this.#rows === 0) this.#hold(samples.subarray(0, this.#channels), this.#half);
    this.#heldFrom = this.#rows === 0 ? -this.#half : this.#heldFrom;
    this.#append(samples);
    this.#rows += samples.length / this.#channels;
    return this.#emit(this.#rows - this.#half);
  }

  /** Give the rest, up to the end of the last input sample. Afterwards the resampler is used up. */
  flush(): Float32Array {
    if (this.#rows === 0) return new Float32Array(0);
    this.#hold(this.#held.slice(-this.#channels), this.#half);
    return this.#emit(this.#rows);
  }

  #hold(row: Float32Array, times: number): void {
    const rows = new Float32Array(times * this.#channels);
    for (let i = 0; i < rows.length; i++) rows[i] = row[i % this.#channels]!;
    this.#append(rows);
  }

  #append(samples: Float32Array): void {
    const joined = new Float32Array(this.#held.length + samples.length);
    joined.set(this.#held);
    joined.set(samples, this.#held.length);
    this.#held = joined;
  }

  /** Outputs whose position lies before row `end`. */
  #emit(end: number): Float32Array {
    const count = Math.max(0, Math.ceil(((end - this.#row) * this.#unit - this.#phase) / this.#step));
    const out = new Float32Array(count * this.#channels);
    for (let k = 0; k < count; k++) {
      this.#outputInto(out, k * this.#channels);
      this.#phase += this.#step;
      this.#row += Math.floor(this.#phase / this.#unit);
      this.#phase %= this.#unit;
    }
    const used = Math.min(Math.max(0, this.#row - this.#half + 1 - this.#heldFrom), this.#held.length / this.#channels);
    this.#held = this.#held.slice(used * this.#channels);
    this.#heldFrom += used;
    return out;
  }

  #outputInto(out: Float32Array, at: number): void {
    const taps = 2 * this.#half;
    const exact = (this.#phase / this.#unit) * this.#phases;
    const phase = this.#phases === this.#unit ? this.#phase : Math.floor(exact);
    const mix = this.#phases === this.#unit ? 0 : exact - phase;
    const firstTap = phase * taps;
    const from = (this.#row - this.#half + 1 - this.#heldFrom) * this.#channels;
    for (let c = 0; c < this.#channels; c++) {
      let sum = 0;
      for (let j = 0; j < taps; j++) {
        const tap = this.#taps[firstTap + j]!;
        const weight = mix === 0 ? tap : tap + mix * (this.#taps[firstTap + taps + j]! - tap);
        sum += weight * this.#held[from + j * this.#channels + c]!;
      }
      out[at + c] = sum;
    }
  }
}

/** Taps of each phase, `[phases + 1 × 2 half]`, each row with a sum of 1 so that a constant stays as it is. */
const designTaps = (phases: number, half: number, bandwidth: number): Float64Array => {
  const taps = new Float64Array((phases + 1) * 2 * half);
  const edge = cutoff * bandwidth;
  for (let phase = 0; phase <= phases; phase++) {
    const row = taps.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    for (let j = 0; j < row.length; j++) {
      const t = phase / phases + half - 1 - j;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * edge * t) / (Math.PI * edge * t);
      row[j] = sinc * kaiser(t / half, beta);
    }
    const sum = row.reduce((a, b) => a + b, 0);
    for (let j = 0; j < row.length; j++) row[j]! /= sum;
  }
  return taps;
};

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
