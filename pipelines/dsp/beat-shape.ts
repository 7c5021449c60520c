import { bounded, logRatio } from "./beat-numbers.ts";
import { RecentValues } from "./recent-values.ts";
import { RunningMedians } from "./running-medians.ts";
import { median } from "./statistics.ts";

const scaleBeats = 32; // the amplitude scale is the median over so many beats: ectopic ones do not move it
const templateBeats = 31; // the same of the template
const usualBeats = 64; // differences are measured by their median over so many
const smallDifferences = [0.08, 0.03, 0.05];
const smallHiss = 0.01;
const lagSeconds = 0.033; // R peaks are found within this

/** Parts of a beat around its R peak, seconds. */
const qrs = [-0.078, 0.1] as const;
const wideQrs = [-0.122, 0.144] as const;
const pWave = [-0.267, -0.067] as const;
const tWave = [0.111, 0.356] as const;
/** Before and after these there are but the slow P and T waves, and noise. */
const quietUntil = -0.122;
const quietFrom = 0.156;

/** A beat beside the usual one of its heart. */
export interface DescribedBeat {
  /** Median peak-to-peak of the last 32 beats, this one included: the unit of what follows. */
  readonly scale: number;
  /** The median of the last 31 beats before it, sample by sample; the first beat itself at the start. Not scaled. */
  readonly template: Float64Array;
  /** The 24 numbers of its shape. */
  readonly numbers: Float32Array;
}

/**
 * Compares each beat with the median of those before it in the same heart. With c the correlation and d the
 * root mean square of the difference of a part of both, in units of the scale, and r(x, y) = ln(x / y):
 *
 *    0 …  2   8 c − 7 of the QRS complex at its best lag, 4 c − 2 of the P and of the T wave at that lag
 *    3 …  5   1.5 r, 2 r, 1.5 r of d of QRS, P, T against its median over 64 beats
 *    6 …  8   r of d of QRS, P, T against 0.08, 0.03, 0.05
 *    9, 13    4 r of the width of QRS against the template's and the usual; width: Σ |x| / max |x|
 *   10        2 r of the height against the usual
 *   11, 12    numbers 3 and 4 of the beat before
 *   14        twice the change of max x + min x of QRS: the polarity
 *   15        2 r of Σ |x| of QRS against the template's
 *
 *   16 … 18  r of the median d of QRS, P, T over the 64 beats before against 0.08, 0.03, 0.05: what a difference means
 *   19, 20   r of the hiss against 0.01: of this beat, and its median over the 64 before; hiss: root mean square of the
 *            second differences outside of QRS
 *   21 … 23  0
 *
 * A shift of P and T waves by their mean does not count. All numbers are within ±4. 16 … 20 tell of noise, in which beats
 * are unlike their median and normal all the same.
 */
export class BeatShape {
  readonly #sampleRateHz: number;
  readonly #peakAt: number;
  readonly #amplitudes = new RecentValues(scaleBeats);
  readonly #heights = new RecentValues(usualBeats);
  readonly #widths = new RecentValues(usualBeats);
  readonly #differences = [0, 1, 2].map(() => new RecentValues(usualBeats));
  readonly #hiss = new RecentValues(usualBeats);
  #beats: RunningMedians | undefined;
  #before = [0, 0];

  /** @param peakAt where the R peak stands in each beat, samples */
  constructor(sampleRateHz: number, peakAt: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#peakAt = peakAt;
  }

  /** Describe a beat without baseline; then it is one of those before. It must not be changed any more. */
  describe(beat: Float64Array): DescribedBeat {
    const height = swingOf(beat);
    this.#amplitudes.add(height);
    const scale = Math.max(median(this.#amplitudes.last(scaleBeats)), 1e-6);
    this.#beats ??= new RunningMedians(beat.length, templateBeats);
    const template = this.#beats.rows === 0 ? beat : this.#beats.medians();
    const part = (of: Float64Array, [from, to]: readonly [number, number], lag = 0) => this.#part(of, from, to, lag);
    const { correlation, lag } = this.#bestLag(beat, template);
    const rms = (x: Float64Array): number =>
      Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / Math.max(x.length, 1)) / scale;
    const differences = [
      rms(difference(part(beat, qrs, lag), part(template, qrs))),
      rms(centred(difference(part(beat, pWave, lag), part(template, pWave)))),
      rms(centred(difference(part(beat, tWave, lag), part(template, tWave)))),
    ] as const;
    const usual = differences.map((d, i) => medianOr(this.#differences[i]!, d));
    const width = widthOf(part(beat, wideQrs));
    const polarity = polarityOf(part(beat, qrs)) - polarityOf(part(template, qrs));
    const quiet = this.#quiet(beat);
    const hiss = rms(joined(quiet.map(secondDifferences)));
    const changes = differences.map((d, i) => logRatio(d, usual[i]!, i === 1 ? 2 : 1.5));
    const numbers = Float32Array.of(
      bounded(8 * correlation - 7),
      bounded(4 * correlationOf(part(beat, pWave, lag), part(template, pWave)) - 2),
      bounded(4 * correlationOf(part(beat, tWave, lag), part(template, tWave)) - 2),
      ...changes,
      ...differences.map((d, i) => logRatio(Math.max(d, 1e-3), smallDifferences[i]!, 1)),
      logRatio(width, widthOf(part(template, wideQrs))),
      logRatio(height, medianOr(this.#heights, height), 2),
      ...this.#before,
      logRatio(width, medianOr(this.#widths, width)),
      bounded((2 * polarity) / scale),
      logRatio(meanSize(part(beat, wideQrs)), meanSize(part(template, wideQrs)), 2),
      ...usual.map((d, i) => logRatio(Math.max(d, 1e-3), smallDifferences[i]!, 1)),
      logRatio(hiss, smallHiss, 1),
      logRatio(medianOr(this.#hiss, hiss), smallHiss, 1),
      ...new Array<number>(3).fill(0),
    );
    this.#hiss.add(hiss);
    this.#before = changes.slice(0, 2);
    this.#heights.add(height);
    this.#widths.add(width);
    for (const [i, d] of differences.entries()) this.#differences[i]!.add(d);
    this.#beats.add(beat);
    return { scale, template, numbers };
  }

  /** Samples of a part of a beat; beyond its ends it goes on as it ends. */
  #part(of: Float64Array, fromSeconds: number, toSeconds: number, lag: number): Float64Array {
    const from = this.#peakAt + Math.round(fromSeconds * this.#sampleRateHz) + lag;
    const to = this.#peakAt + Math.round(toSeconds * this.#sampleRateHz) + lag;
    const end = of.length - 1;
    return Float64Array.from({ length: to - from }, (_, i) => of[Math.max(0, Math.min(end, from + i))]!);
  }

  /** What is before and what is after QRS. */
  #quiet(beat: Float64Array): readonly Float64Array[] {
    const until = this.#peakAt + Math.round(quietUntil * this.#sampleRateHz);
    const from = this.#peakAt + Math.round(quietFrom * this.#sampleRateHz);
    return [beat.subarray(0, Math.max(0, until)), beat.subarray(from)];
  }

  #bestLag(beat: Float64Array, template: Float64Array): { readonly correlation: number; readonly lag: number } {
    const usual = this.#part(template, ...qrs, 0);
    const reach = Math.round(lagSeconds * this.#sampleRateHz);
    let best = { correlation: -Infinity, lag: 0 };
    for (let lag = -reach; lag <= reach; lag++) {
      const correlation = correlationOf(this.#part(beat, ...qrs, lag), usual);
      if (correlation > best.correlation) best = { correlation, lag };
    }
    return best;
  }
}

const largest = (x: Float64Array): number => x.reduce((most, v) => Math.max(most, v), -Infinity);

const swingOf = (x: Float64Array): number => largest(x) + largest(x.map((v) => -v));
const secondDifferences = (x: Float64Array): Float64Array =>
  x.subarray(2).map((next, i) => x[i]! - 2 * x[i + 1]! + next);
const joined = ([a, b]: readonly Float64Array[]): Float64Array => Float64Array.of(...a!, ...b!);

const difference = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - b[i]!);

const centred = (x: Float64Array): Float64Array => {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  return x.map((v) => v - mean);
};

/** Pearson's; 0 where either is constant. */
const correlationOf = (a: Float64Array, b: Float64Array): number => {
  const [x, y] = [centred(a), centred(b)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += x[i]! * y[i]!;
    xx += x[i]! * x[i]!;
    yy += y[i]! * y[i]!;
  }
  return xx * yy > 1e-18 ? xy / Math.sqrt(xx * yy) : 0;
};

const meanSize = (x: Float64Array): number => x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length;
const widthOf = (x: Float64Array): number => (meanSize(x) * x.length) / Math.max(largest(x.map(Math.abs)), 1e-6);
const polarityOf = (x: Float64Array): number => largest(x) - largest(x.map((v) => -v));
const medianOr = (values: RecentValues, otherwise: number): number =>
  values.length === 0 ? otherwise : median(values.last(usualBeats));
