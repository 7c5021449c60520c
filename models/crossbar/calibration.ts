/** How a tile makes up for drift: not at all, by one factor, or by a factor for each output. */
export type CalibrationMode = "none" | "global" | "per-column";

/**
 * Write the drift compensation of each output to `alpha` (Joshi et al. 2020; read by one-hot inputs as in aihwkit):
 *
 *   α = R(0) / R(t)      R = mean |response|, over all outputs, or of each output by itself
 *
 * where `programmed` and `present` hold the mean |response| of each output. Both R are at least `floor`, so that
 * a tile of zeros keeps α = 1.
 */
export const driftCompensation = (
  mode: "global" | "per-column",
  programmed: Float64Array,
  present: Float64Array,
  floor: number,
  alpha: Float64Array,
): void => {
  const ratio = (before: number, now: number) => Math.max(before, floor) / Math.max(now, floor);
  if (mode === "global") alpha.fill(ratio(mean(programmed), mean(present)));
  else for (let o = 0; o < alpha.length; o++) alpha[o] = ratio(programmed[o]!, present[o]!);
};

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Set factors of outputs to their own, or all to one. @throws RangeError unless all are finite and ≥ 0 */
export const setFactors = (factors: Float64Array, to: number | ArrayLike<number>): void => {
  const values = typeof to === "number" ? new Float64Array(factors.length).fill(to) : Float64Array.from(to);
  if (values.length !== factors.length || !values.every((value) => value >= 0 && value < Infinity)) {
    throw new RangeError(`alpha: expected ${factors.length} finite numbers ≥ 0, got ${values}`);
  }
  factors.set(values);
};
