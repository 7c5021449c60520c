/** How pairs stand to the weights that they hold. */
export interface WeightFit {
  /** The factor b of the best line `G⁺ − G⁻ = b · W`, S a weight unit: it falls as the pairs drift. */
  readonly siemensPerWeight: number;
  /** Root mean square of what is left, S. */
  readonly rmsSiemens: number;
}

/**
 * Fit conductance differences to weights by least squares through zero.
 *
 * @param weights [pairs]
 * @param siemens plus and minus of each pair in turn, [pairs × 2]
 */
export const fitWeights = (weights: Float32Array, siemens: Float32Array): WeightFit => {
  let products = 0;
  let squares = 0;
  for (let p = 0; p < weights.length; p++) {
    products += weights[p]! * (siemens[2 * p]! - siemens[2 * p + 1]!);
    squares += weights[p]! ** 2;
  }
  const siemensPerWeight = squares > 0 ? products / squares : 0;
  let left = 0;
  for (let p = 0; p < weights.length; p++) {
    left += (siemens[2 * p]! - siemens[2 * p + 1]! - siemensPerWeight * weights[p]!) ** 2;
  }
  return { siemensPerWeight, rmsSiemens: Math.sqrt(left / Math.max(1, weights.length)) };
};
