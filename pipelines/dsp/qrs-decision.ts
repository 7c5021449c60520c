import { median } from "./statistics.ts";

/** A peak of the QRS envelope that is the largest within the refractory time. */
export interface QrsCandidate {
  /** Index of the envelope's peak, samples. */
  readonly at: number;
  /** Envelope there, mV. */
  readonly height: number;
  /** Steepest change of the band-passed signal around it, mV/sample. */
  readonly slope: number;
}

const remembered = 12; // heights of beats, heights of other peaks, RR intervals: the last ones count
const threshold = 0.3; // between the usual other peak (0) and the usual beat (1)
const searchThreshold = 0.16; // the same in a search back
const learnedShare = 0.7; // the usual beat as a share of the largest peak, at the start and after silence
const silenceSeconds = 6; // without a beat: longer than the pauses of a sick sinus node
const faintest = 0.012; // mV: about two steps of an 11-bit recorder; nothing below is a beat
const windowSeconds = 1.5; // holds a beat down to 40 a minute
const windows = 4;
const windowShare = 0.4; // a usual beat is at least so much of the usual largest peak of a window
const tWaveSeconds = 0.38; // a T wave peaks by then
const tWaveSlope = 0.5; // of the beat before: less, and not high either, is a T wave …
const tWaveHeight = 0.45; // … not high: of the usual beat
const tWaveSureSlope = 0.35; // … less than this is one at any height
const longRr = 1.5; // of the median interval, and
const longestRr = 1.1; // of the second longest: then a beat may be missing

/** How far a search back reaches, seconds. */
export const searchBackSeconds = 1.2;

/**
 * Tells beats from T waves and noise by height and slope, after Pan & Tompkins (1985) and Hamilton & Tompkins (1986):
 * thresholds between the median heights of beats and of other peaks, and a search back with a lower one where an RR
 * interval grows too long. All times in samples; memory is bounded.
 */
export class QrsDecision {
  readonly #sampleRateHz: number;
  #beats: number[] = [];
  #others: number[] = [];
  #intervals: number[] = [];
  #maxima: number[] = [];
  #windowEnd: number;
  #windowMaximum = 0;
  #last: QrsCandidate | undefined;
  #rejected: QrsCandidate[] = [];
  #searchAt = Number.POSITIVE_INFINITY;
  #searchedInARow = 0;

  /** @param learned peaks of the first seconds: the largest sets the first threshold */
  constructor(sampleRateHz: number, learned: readonly QrsCandidate[], startAt: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#windowEnd = startAt + windowSeconds * sampleRateHz;
    this.#beats.push(learnedShare * Math.max(0, ...learned.map(({ height }) => height)));
  }

  /** Judge a candidate at time `now`: the beats that follow, this one or one found in a search back. */
  judge(candidate: QrsCandidate, now: number): QrsCandidate | undefined {
    this.#windowMaximum = Math.max(this.#windowMaximum, candidate.height);
    const high = candidate.height > this.#level(threshold);
    const tWave = this.#isTWave(candidate);
    if (high && !tWave) {
      this.#searchedInARow = 0;
      return this.#accept(candidate);
    }
    if (!tWave) {
      keep(this.#others, candidate.height);
      this.#rejected.push(candidate);
    }
    return now >= this.#searchAt ? this.#searchBack(now) : undefined;
  }

  /** Let time pass: a beat found in a search back, if one fell due. */
  pass(now: number): QrsCandidate | undefined {
    if (now >= this.#windowEnd) {
      this.#maxima.push(this.#windowMaximum);
      if (this.#maxima.length > windows) this.#maxima.shift();
      this.#windowMaximum = 0;
      if (this.#last === undefined || now - this.#last.at > silenceSeconds * this.#sampleRateHz) this.#restart();
      this.#windowEnd += windowSeconds * this.#sampleRateHz;
    }
    return now === this.#searchAt ? this.#searchBack(now) : undefined;
  }

  /** Forget the old heights: the signal has become so small that no search back finds it. */
  #restart(): void {
    this.#beats = [learnedShare * median(this.#maxima)];
    this.#others = [];
  }

  #usualBeat(): number {
    // Without the windows, a start on noise would keep its low threshold for ever: noise peaks outnumber beats.
    const ofWindows = this.#maxima.length === windows ? windowShare * median(this.#maxima) : 0;
    return Math.max(median(this.#beats), ofWindows);
  }

  #level(share: number): number {
    const beat = this.#usualBeat();
    const other = this.#others.length === 0 ? 0 : Math.min(median(this.#others), 0.5 * beat);
    return Math.max(faintest, other + share * (beat - other));
  }

  #isTWave({ at, height, slope }: QrsCandidate): boolean {
    const last = this.#last;
    if (last === undefined || at - last.at >= tWaveSeconds * this.#sampleRateHz) return false;
    if (slope < tWaveSureSlope * last.slope) return true;
    return slope < tWaveSlope * last.slope && height < tWaveHeight * this.#usualBeat();
  }

  #accept(beat: QrsCandidate): QrsCandidate {
    keep(this.#beats, beat.height);
    if (this.#last !== undefined) keep(this.#intervals, beat.at - this.#last.at);
    this.#last = beat;
    this.#rejected = this.#rejected.filter(({ at }) => at > beat.at);
    if (this.#intervals.length > 0) {
      const secondLongest = [...this.#intervals].sort((a, b) => b - a)[Math.min(1, this.#intervals.length - 1)]!;
      const wait = Math.max(longRr * median(this.#intervals), longestRr * secondLongest);
      this.#searchAt = beat.at + Math.ceil(wait);
    }
    return beat;
  }

  #searchBack(now: number): QrsCandidate | undefined {
    this.#rejected = this.#rejected.filter(({ at }) => at > now - searchBackSeconds * this.#sampleRateHz);
    const level = this.#level(searchThreshold);
    let best: QrsCandidate | undefined;
    for (const candidate of this.#rejected) {
      if (candidate.height > Math.max(level, best?.height ?? 0) && !this.#isTWave(candidate)) best = candidate;
    }
    if (best === undefined) return undefined;
    this.#searchedInARow++;
    // Two in a row: the signal has become smaller, and the old heights say nothing any more.
    if (this.#searchedInARow >= 2) this.#beats = this.#beats.map((height) => Math.min(height, 1.5 * best.height));
    return this.#accept(best);
  }
}

const keep = (values: number[], value: number): void => {
  values.push(value);
  if (values.length > remembered) values.shift();
};
