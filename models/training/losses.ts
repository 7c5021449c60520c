/** What a batch gave: sums over its samples, so that parts of a batch add. */
export interface BatchScore {
  loss: number;
  correct: number;
}

/** The labels of the samples that were mixed into a batch, and their part of each mixture; see `mixup.ts`. */
export interface Mixture {
  readonly labels: ArrayLike<number>;
  readonly part: number;
}

/** What a teacher says of a batch. */
export interface Lesson {
  /** [count × classes], after softmax */
  readonly probabilities: Float32Array;
  /** The teacher's part of the loss, 0 … 1. */
  readonly weight: number;
  /** Both softmaxes are of logits over this: above 1 the teacher tells more of the classes that it thinks wrong. */
  readonly temperature: number;
}

/**
 * Cross-entropy of softmax(logits) against labels, smoothed: the label has 1 − s + s/classes, others s/classes
 * (Szegedy et al., 2016). Writes the gradient by the logits, times `scale`, and returns the sums of loss and hits.
 *
 *   L = (1 − w) CE(q, target) + w T² KL(p_T ‖ q_T)          with a lesson (Hinton, Vinyals and Dean, 2015)
 *   ∂L/∂z = (1 − w)(q − target) + w T (q_T − p_T)
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
    readonly mixture?: Mixture | undefined;
    readonly lesson?: Lesson | undefined;
  },
): BatchScore => {
  const { count, classes, smoothing, classWeights, scale, mixture, lesson } = options;
  const score = { loss: 0, correct: 0 };
  const own = 1 - (lesson?.weight ?? 0);
  for (let b = 0; b < count; b++) {
    const at = b * classes;
    const label = labels[b]!;
    const other = mixture?.labels[b] ?? label;
    const part = mixture?.part ?? 0;
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[at + c]! > logits[at + best]!) best = c;
    if (best === (part > 0.5 ? other : label)) score.correct++;
    const logSum = logSumOf(logits, at, classes, logits[at + best]!, 1);
    const weight = own * ((1 - part) * (classWeights?.[label] ?? 1) + part * (classWeights?.[other] ?? 1));
    for (let c = 0; c < classes; c++) {
      const hard = (c === label ? 1 - part : 0) + (c === other ? part : 0);
      const target = (1 - smoothing) * hard + smoothing / classes;
      const logProbability = logits[at + c]! - logSum;
      score.loss -= weight * target * logProbability;
      gradient[at + c] = scale * weight * (Math.exp(logProbability) - target);
    }
    if (lesson) score.loss += learn(logits, gradient, at, classes, logits[at + best]!, lesson, scale);
  }
  return score;
};

/** ln Σ e^(z/T), the largest z taken off first. */
const logSumOf = (z: Float32Array, at: number, classes: number, most: number, temperature: number): number => {
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp((z[at + c]! - most) / temperature);
  return Math.log(sum) + most / temperature;
};

/** Add the gradient of one sample's lesson; returns its loss. */
const learn = (
  logits: Float32Array,
  gradient: Float32Array,
  at: number,
  classes: number,
  most: number,
  { probabilities, weight, temperature }: Lesson,
  scale: number,
): number => {
  const logSum = logSumOf(logits, at, classes, most, temperature);
  // p_T ∝ p^(1/T): a teacher's logits are known from its probabilities but for a constant.
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.max(probabilities[at + c]!, 1e-12) ** (1 / temperature);
  let loss = 0;
  for (let c = 0; c < classes; c++) {
    const taught = Math.max(probabilities[at + c]!, 1e-12) ** (1 / temperature) / sum;
    const log = logits[at + c]! / temperature - logSum;
    loss += weight * temperature * temperature * taught * (Math.log(taught) - log);
    gradient[at + c]! += scale * weight * temperature * (Math.exp(log) - taught);
  }
  return loss;
};

/**
 * What is learned: the class; the input given back; or for each step of `[1, steps, channels]` the input's next step, where
 * the last has none.
 */
export type Loss = "cross-entropy" | "mean-square" | "next-step";

/** Make of inputs [count × steps × channels] the targets of `next-step`; the last steps take what the net gave, no error. */
export const nextSteps = (
  target: Float32Array,
  y: Float32Array,
  { count, steps, channels }: { readonly count: number; readonly steps: number; readonly channels: number },
): void => {
  const size = steps * channels;
  for (let b = 0; b < count; b++) {
    const from = b * size;
    target.copyWithin(from, from + channels, from + size);
    for (let c = size - channels; c < size; c++) target[from + c] = y[from + c]!;
  }
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
