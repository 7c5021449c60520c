/** What a batch gave: sums over its samples, so that parts of a batch add. */
export interface BatchScore {
  loss: number;
  correct: number;
}

/**
 * Cross-entropy of softmax(logits) against labels, smoothed: the label has 1 − s + s/classes, others s/classes
 * (Szegedy et al., 2016). Writes the gradient by the logits, times `scale`, and returns the sums of loss and hits.
 *
 * @param logits       [count × classes]
 * @param classWeights a factor on the loss of each class; not normalised
 */
export const crossEntropy = (
  logits: Float32Array,
  labels: ArrayLike<number>,
  gradient: Float32Array,
  options: {
    readonly count: number;
    readonly classes: number;
    readonly smoothing: number;
    readonly classWeights: readonly number[] | undefined;
    readonly scale: number;
  },
): BatchScore => {
  const { count, classes, smoothing, classWeights, scale } = options;
  const score = { loss: 0, correct: 0 };
  for (let b = 0; b < count; b++) {
    const at = b * classes;
    const label = labels[b]!;
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[at + c]! > logits[at + best]!) best = c;
    if (best === label) score.correct++;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[at + c]! - logits[at + best]!);
    const logSum = Math.log(sum) + logits[at + best]!;
    const weight = classWeights?.[label] ?? 1;
    for (let c = 0; c < classes; c++) {
      const target = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      const logProbability = logits[at + c]! - logSum;
      score.loss -= weight * target * logProbability;
      gradient[at + c] = scale * weight * (Math.exp(logProbability) - target);
    }
  }
  return score;
};

/**
 * The mean over features of (y − target)², summed over samples; writes its gradient by y, times `scale`. Has no
 * hits: `correct` is 0.
 *
 * @param y [count × features], as `target`
 */
export const meanSquare = (
  y: Float32Array,
  target: Float32Array,
  gradient: Float32Array,
  { count, features, scale }: { readonly count: number; readonly features: number; readonly scale: number },
): BatchScore => {
  let sum = 0;
  for (let i = 0; i < count * features; i++) {
    const error = y[i]! - target[i]!;
    sum += error * error;
    gradient[i] = (scale * 2 * error) / features;
  }
  return { loss: sum / features, correct: 0 };
};
