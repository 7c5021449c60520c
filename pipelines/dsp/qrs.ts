import { type QrsCandidate, QrsDecision, searchBackSeconds } from "./qrs-decision.ts";
import { QrsWavelet } from "./qrs-wavelet.ts";

const refractorySeconds = 0.25; // of two peaks closer than this the larger counts: P waves come up to 0.23 s before R
const learningSeconds = 2.5; // holds a beat down to 24 a minute
const slopeSeconds = 0.06; // half the width of a QRS complex
const peakSeconds = 0.08; // the extremum lies so near to the envelope's peak
const edgeSeconds = 0.1; // nearer to the start the wavelet sees half a complex

/**
 * Finds the R peaks of one lead in a stream of samples.
 *
 *   samples   mV, one lead, 100 … 1000 Hz
 *   wavelet   band-passed signal and its envelope (`qrs-wavelet.ts`)
 *   peaks     of the envelope, the largest within 0.25 s
 *   decision  thresholds that follow the signal, T waves, search back (`qrs-decision.ts`)
 *   R peak    extremum of the band-passed signal within 0.08 s, of either sign
 *
 * A beat is told 0.33 s after its R peak, one found in a search back at most 1.4 s after; those of the first 2.5 s after
 * 2.5 s. What it says does not depend on how the samples are cut into blocks. No beat in the first 0.1 s is told.
 * Samples must be finite.
 */
export class QrsDetector {
  readonly #sampleRateHz: number;
  readonly #wavelet: QrsWavelet;
  /** The band-passed signal of the last seconds, by index modulo its length. */
  readonly #band: Float64Array;
  #now: number; // index that the wavelet's outputs belong to
  #taken = 0;
  #lastSample = 0;
  #envelope = 0; // of the index before
  #rising = false;
  #held: { readonly at: number; readonly height: number } | undefined;
  #learning: QrsCandidate[] = [];
  #decision: QrsDecision | undefined;
  #lastPeak = -1;
  #found: number[] = [];

  /** @throws RangeError unless the rate is in 100 … 1000 Hz. */
  constructor(sampleRateHz: number) {
    if (!(sampleRateHz >= 100 && sampleRateHz <= 1000)) {
      throw new RangeError(`sampleRateHz: expected a rate in 100 … 1000 Hz, got ${sampleRateHz}`);
    }
    this.#sampleRateHz = sampleRateHz;
    this.#wavelet = new QrsWavelet(sampleRateHz);
    this.#now = -this.#wavelet.delaySamples - 1;
    this.#band = new Float64Array(Math.ceil((learningSeconds + searchBackSeconds + 1) * sampleRateHz));
  }

  /** Take in samples of the lead, mV; the indices of R peaks told meanwhile, from 0 at the first sample, rising. */
  push(samples: Float32Array): number[] {
    this.#found = [];
    for (let i = 0; i < samples.length; i++) this.#step(samples[i]!);
    this.#taken += samples.length;
    if (samples.length > 0) this.#lastSample = samples[samples.length - 1]!;
    return this.#found;
  }

  /** The R peaks not yet told, as if the last sample went on for ever; then it is as new. */
  flush(): number[] {
    const end = this.#taken;
    this.#found = [];
    if (end > 0) {
      const rest = Math.ceil(2 * refractorySeconds * this.#sampleRateHz) + this.#wavelet.delaySamples;
      for (let i = 0; i < rest; i++) this.#step(this.#lastSample);
      if (this.#decision === undefined) this.#learn();
    }
    const found = this.#found.filter((at) => at < end);
    this.reset();
    return found;
  }

  /** As new: the next sample has index 0. */
  reset(): void {
    this.#wavelet.reset();
    this.#now = -this.#wavelet.delaySamples - 1;
    this.#band.fill(0);
    this.#taken = 0;
    this.#lastSample = 0;
    this.#envelope = 0;
    this.#rising = false;
    this.#held = undefined;
    this.#learning = [];
    this.#decision = undefined;
    this.#lastPeak = -1;
    this.#found = [];
  }

  #step(sample: number): void {
    this.#wavelet.step(sample);
    const now = ++this.#now;
    if (now < 0) return;
    const { band, envelope } = this.#wavelet;
    this.#band[now % this.#band.length] = band;
    if (this.#rising && envelope <= this.#envelope) this.#turn(now - 1, this.#envelope);
    if (envelope !== this.#envelope) this.#rising = envelope > this.#envelope;
    this.#envelope = envelope;
    const held = this.#held;
    if (held !== undefined && now - held.at > refractorySeconds * this.#sampleRateHz) this.#release(held);
    if (this.#decision !== undefined) this.#tell(this.#decision.pass(now));
    else if (now >= learningSeconds * this.#sampleRateHz) this.#learn();
  }

  /** The envelope has a maximum: of those within the refractory time the largest is held. */
  #turn(at: number, height: number): void {
    if (at < edgeSeconds * this.#sampleRateHz) return;
    const held = this.#held;
    if (held === undefined || height > held.height) this.#held = { at, height };
  }

  #release({ at, height }: { readonly at: number; readonly height: number }): void {
    this.#held = undefined;
    const reach = Math.round(slopeSeconds * this.#sampleRateHz);
    let slope = 0;
    for (let i = Math.max(0, at - reach); i < at + reach; i++) {
      slope = Math.max(slope, Math.abs(this.#bandAt(i + 1) - this.#bandAt(i)));
    }
    const candidate = { at, height, slope };
    if (this.#decision === undefined) this.#learning.push(candidate);
    else this.#tell(this.#decision.judge(candidate, this.#now));
  }

  #learn(): void {
    this.#decision = new QrsDecision(this.#sampleRateHz, this.#learning, this.#now);
    for (const candidate of this.#learning) this.#tell(this.#decision.judge(candidate, candidate.at));
    this.#learning = [];
  }

  #tell(beat: QrsCandidate | undefined): void {
    if (beat === undefined) return;
    const reach = Math.round(peakSeconds * this.#sampleRateHz);
    let peak = beat.at;
    for (let i = Math.max(0, beat.at - reach); i <= beat.at + reach; i++) {
      if (Math.abs(this.#bandAt(i)) > Math.abs(this.#bandAt(peak))) peak = i;
    }
    if (peak <= this.#lastPeak) return;
    this.#lastPeak = peak;
    this.#found.push(peak);
  }

  #bandAt(index: number): number {
    return this.#band[index % this.#band.length]!;
  }
}
