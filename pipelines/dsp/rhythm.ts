import { bounded, logRatio } from "./beat-numbers.ts";
import { RecentValues } from "./recent-values.ts";
import { median, quantile } from "./statistics.ts";

const remembered = 256; // RR intervals: some four minutes, longer than runs of ectopic beats last
const longest = 0.7; // quantile: ectopic beats come early, so that the long intervals are the heart's own
const forgetting = 1024; // beats: the mean over the past follows a change of the usual rate within about so many
const nearSeconds = 10;
const odd = 0.12; // an interval whose ln differs by more from that of the median is an odd one
const smallestSpread = 0.02;
const smallestUnrest = 0.01;
const longestOfMany = 0.9; // quantile, where most beats are early
const usualChange = 0.08;
const usualLn = 0.05; // a spread of ln RR in the middle between a steady rhythm and fibrillation

/**
 * Measures a beat's RR intervals by those before it in the same heart. With b, a the intervals before and after it,
 * b₁ … b₃ those before b, m₆₄, m₁₆, m₈ the medians of as many intervals, and r(x, y) = 4 ln(x / y) within ±4:
 *
 *    0  r(b, 70 % quantile of 256)      8  r(b₂, m₆₄)
 *    1  r(b, mean of 256)               9  r(b₃, m₆₄)
 *    2  r(b, m₆₄)                      10  r(b, a)
 *    3  r(b, m₁₆)                      11  ln(s / 0.05)     s: median |ln(RR / m₆₄)| of 64, at least 0.02
 *    4  ln(b / m₆₄) / 4 s              12  ln(u / 0.05)     u: median |change of ln RR| of 8, at least 0.01
 *    5  r(a, m₆₄)                      13  r((b + a) / 2, m₆₄)
 *    6  r(a, m₁₆)                      14  r(m₈, m₆₄)
 *    7  r(b₁, m₆₄)                     15  r(a, b₁)
 *
 * With M the mean of all intervals so far, after 1,024 beats of about the last so many, m the mean of those that end
 * within the last 10 s, b among them, and q the 90 % quantile of 256:
 *
 *   16  r(b, M)                        20  r(m, M)
 *   17  r(a, M)                        21  ln(w / 0.08)     w: root mean square change of ln RR of 32, at least 0.01
 *   18  r(b, m)                        22  4 o − 2          o: part of 32 intervals that differ by over 12 % from m₃₂
 *   19  r(a, m)                        23  r(b, q)
 *
 * 0, 1, 16 and 23 look beyond a run of early beats, even where most beats are early; 4, 11, 21 and 22 tell an early beat
 * from an irregular rhythm. 16 … 20 are the intervals as Mondéjar-Guerra et al. (2019) take them.
 */
export class Rhythm {
  readonly #intervals = new RecentValues(remembered);
  #beats = 0;
  #longMean = 0;

  /** The 24 numbers of a beat with these intervals, seconds; then the one before it is remembered. */
  describe(before: number, after: number): Float32Array {
    const all = this.#intervals.length > 0 ? this.#intervals.last(remembered) : [before];
    const last = all.slice(-64);
    const m64 = median(last);
    const m16 = median(all.slice(-16));
    const m8 = median(all.slice(-8));
    const mean = meanOf(all);
    const spread = Math.max(median(last.map((rr) => Math.abs(Math.log(rr / m64)))), smallestSpread);
    const steps = all.slice(-9).flatMap((rr, i, some) => (i > 0 ? [Math.abs(Math.log(rr / some[i - 1]!))] : []));
    const unrest = steps.length > 0 ? Math.max(median(steps), smallestUnrest) : 0.03;
    const earlier = (back: number): number => all[all.length - back] ?? m64;
    this.#intervals.add(before);
    this.#beats = Math.min(this.#beats + 1, forgetting);
    this.#longMean += (before - this.#longMean) / this.#beats;
    const past = this.#longMean;
    const near = meanOfLast(this.#intervals.last(remembered), nearSeconds);
    const recent = all.slice(-33);
    const m32 = median(recent.slice(-32));
    const oddPart =
      recent.slice(-32).filter((rr) => Math.abs(Math.log(rr / m32)) > odd).length / Math.min(recent.length, 32);
    const changes = recent.flatMap((rr, i) => (i > 0 ? [Math.log(rr / recent[i - 1]!) ** 2] : []));
    const change = changes.length > 0 ? Math.max(Math.sqrt(meanOf(changes)), smallestUnrest) : 0.05;
    return Float32Array.of(
      logRatio(before, quantile(all, longest)),
      logRatio(before, mean),
      logRatio(before, m64),
      logRatio(before, m16),
      bounded(Math.log(before / m64) / spread / 4),
      logRatio(after, m64),
      logRatio(after, m16),
      logRatio(earlier(1), m64),
      logRatio(earlier(2), m64),
      logRatio(earlier(3), m64),
      logRatio(before, after),
      bounded(Math.log(spread / usualLn)),
      bounded(Math.log(unrest / usualLn)),
      logRatio((before + after) / 2, m64),
      logRatio(m8, m64),
      logRatio(after, earlier(1)),
      logRatio(before, past),
      logRatio(after, past),
      logRatio(before, near),
      logRatio(after, near),
      logRatio(near, past),
      bounded(Math.log(change / usualChange)),
      4 * oddPart - 2,
      logRatio(before, quantile(all, longestOfMany)),
    );
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Mean of the newest intervals up to the one with which they fill so many seconds. */
const meanOfLast = (intervals: readonly number[], seconds: number): number => {
  let [sum, count] = [0, 0];
  for (let i = intervals.length - 1; i >= 0 && sum < seconds; i--, count++) sum += intervals[i]!;
  return sum / count;
};
