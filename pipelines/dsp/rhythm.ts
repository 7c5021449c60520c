import { bounded, logRatio } from "./beat-numbers.ts";
import { RecentValues } from "./recent-values.ts";
import { median, quantile } from "./statistics.ts";

const remembered = 256; // RR intervals: some four minutes, longer than runs of ectopic beats last
const longest = 0.7; // quantile: ectopic beats come early, so that the long intervals are the heart's own
const smallestSpread = 0.02;
const smallestUnrest = 0.01;
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
 * 0 and 1 look beyond a run of early beats, 4 and 11 tell an early beat from an irregular rhythm.
 */
export class Rhythm {
  readonly #intervals = new RecentValues(remembered);

  /** The sixteen numbers of a beat with these intervals, seconds; then the one before it is remembered. */
  describe(before: number, after: number): Float32Array {
    const all = this.#intervals.length > 0 ? this.#intervals.last(remembered) : [before];
    const last = all.slice(-64);
    const m64 = median(last);
    const m16 = median(all.slice(-16));
    const m8 = median(all.slice(-8));
    const mean = all.reduce((sum, rr) => sum + rr, 0) / all.length;
    const spread = Math.max(median(last.map((rr) => Math.abs(Math.log(rr / m64)))), smallestSpread);
    const steps = all.slice(-9).flatMap((rr, i, some) => (i > 0 ? [Math.abs(Math.log(rr / some[i - 1]!))] : []));
    const unrest = steps.length > 0 ? Math.max(median(steps), smallestUnrest) : 0.03;
    const earlier = (back: number): number => all[all.length - back] ?? m64;
    this.#intervals.add(before);
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
    );
  }
}
