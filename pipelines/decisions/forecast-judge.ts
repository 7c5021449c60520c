import { RecentValues } from "../dsp/recent-values.ts";
import type { ForecastSettings } from "../features.ts";

/**
 * How surprising the last errors of a forecast are beside those before them, in units of a threshold:
 *
 *   e     = mean of the last `shortRows` errors, this one among them
 *   m, s  = mean and standard deviation of the last `memoryRows` errors, this one not among them
 *   score = (e − m) / (s + errorFloor) / threshold          nothing before `warmUpRows` errors
 *
 * The anomaly likelihood of Ahmad et al. 2017 but for its last step, which makes a probability of the score.
 */
export class ForecastJudge {
  readonly #settings: ForecastSettings;
  readonly #errors: Float64Array;
  readonly #last: RecentValues;
  #count = 0;
  #sum = 0;
  #squares = 0;

  constructor(settings: ForecastSettings) {
    this.#settings = settings;
    this.#errors = new Float64Array(settings.memoryRows);
    this.#last = new RecentValues(settings.shortRows);
  }

  /** The score of an error ≥ 0, undefined while too few are known; then it is one of those known. */
  take(error: number): number | undefined {
    const { warmUpRows, memoryRows, shortRows, errorFloor, threshold } = this.#settings;
    const known = Math.min(this.#count, memoryRows);
    const mean = this.#sum / known;
    const std = Math.sqrt(Math.max(0, this.#squares / known - mean * mean));
    this.#last.add(error);
    const last = this.#last.last(shortRows);
    const short = last.reduce((sum, e) => sum + e, 0) / last.length;
    const score = known >= warmUpRows ? (short - mean) / (std + errorFloor) / threshold : undefined;
    const place = this.#count % memoryRows;
    const oldest = this.#count >= memoryRows ? this.#errors[place]! : 0;
    this.#errors[place] = error;
    this.#sum += error - oldest;
    this.#squares += error * error - oldest * oldest;
    this.#count++;
    return score;
  }
}

/** The mean distance of a row from its forecast. */
export const errorOf = (row: ArrayLike<number>, forecast: ArrayLike<number>): number => {
  let sum = 0;
  for (let c = 0; c < row.length; c++) sum += Math.abs(row[c]! - forecast[c]!);
  return sum / row.length;
};
