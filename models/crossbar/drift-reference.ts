import { type AdcRanges, type CalibrationMode, driftCompensation } from "./calibration.ts";

/** What the drift of a tile is measured by: the mean |y| of each output for one-hot inputs when it was programmed, R(0). */
export class DriftReference {
  readonly response: Float64Array;
  /** Ranges of the ADC then. */
  readonly ranges: AdcRanges;
  /** Responses below it count as so much, so that an output of zeros does not seem to drift. */
  readonly #floor: number;

  constructor(response: Float64Array, ranges: AdcRanges) {
    this.response = response;
    this.ranges = ranges;
    this.#floor = 1e-4 * ranges[1];
  }

  /** α of each output, by what the response is at present. */
  alphaOf(mode: CalibrationMode, present: Float64Array): Float64Array {
    const alpha = new Float64Array(present.length).fill(1);
    if (mode !== "none") driftCompensation(mode, this.response, present, this.#floor, alpha);
    return alpha;
  }

  /**
   * Some devices of these outputs were written, and α is to stay as it is; else a mended device would pass for drift:
   *
   *   R(0) ← R(0) · R after / R before      both read at one time
   */
  keep(outputs: Iterable<number>, before: Float64Array, after: Float64Array): void {
    for (const o of outputs) {
      this.response[o]! *= Math.max(after[o]!, this.#floor) / Math.max(before[o]!, this.#floor);
    }
  }
}
