/** Figures of merit of a classifier, from its confusion matrix. */
export interface ClassMetrics {
  readonly label: string;
  /** Events of this class in the reference. */
  readonly events: number;
  /** Sensitivity (recall), 0 … 1; null where the reference has none. */
  readonly sensitivity: number | null;
  /** Positive predictivity (precision), 0 … 1; null where none was predicted. */
  readonly positivePredictivity: number | null;
}

export interface ClassifierMetrics {
  readonly samples: number;
  readonly accuracy: number;
  readonly classes: readonly ClassMetrics[];
  /** [true × predicted], in the order of the labels. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Score predictions against the truth.
 *
 * @param truth     class index a sample
 * @param predicted class index a sample; −1 for an event that was missed altogether (counts against sensitivity)
 */
export const classifierMetrics = (
  labels: readonly string[],
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
): ClassifierMetrics => {
  if (truth.length !== predicted.length) {
    throw new RangeError(`predicted: expected ${truth.length} samples, got ${predicted.length}`);
  }
  const confusion = labels.map(() => labels.map(() => 0));
  const events = labels.map(() => 0);
  const claims = labels.map(() => 0);
  let right = 0;
  for (let i = 0; i < truth.length; i++) {
    const t = truth[i]!;
    const p = predicted[i]!;
    if (t >= 0) events[t]!++;
    if (p >= 0) claims[p]!++;
    if (t >= 0 && p >= 0) confusion[t]![p]!++;
    if (t === p) right++;
  }
  return {
    samples: truth.length,
    accuracy: right / truth.length,
    classes: labels.map((label, c) => ({
      label,
      events: events[c]!,
      sensitivity: events[c]! > 0 ? confusion[c]![c]! / events[c]! : null,
      positivePredictivity: claims[c]! > 0 ? confusion[c]![c]! / claims[c]! : null,
    })),
    confusion,
  };
};

export interface AnomalyMetrics {
  readonly samples: number;
  readonly f1: number;
  /** False-alarm rate: alarms among the normal rows, percent. */
  readonly farPercent: number;
  /** Missed-alarm rate: misses among the anomalous rows, percent. */
  readonly marPercent: number;
}

/** Row-wise detection figures as SKAB defines them: F1, FAR = FP/(FP+TN), MAR = FN/(FN+TP). */
export const anomalyMetrics = (truth: ArrayLike<number>, alarm: ArrayLike<number>): AnomalyMetrics => {
  let tp = 0;
  let fp = 0;
  let tn = 0;
  let fn = 0;
  for (let i = 0; i < truth.length; i++) {
    if (truth[i]) alarm[i] ? tp++ : fn++;
    else alarm[i] ? fp++ : tn++;
  }
  return {
    samples: truth.length,
    f1: tp + fp + fn === 0 ? 1 : (2 * tp) / (2 * tp + fp + fn),
    farPercent: fp + tn === 0 ? 0 : (100 * fp) / (fp + tn),
    marPercent: fn + tp === 0 ? 0 : (100 * fn) / (fn + tp),
  };
};

/** Mean, sample standard deviation, smallest and largest of some figures. */
export const spread = (values: readonly number[]): { mean: number; std: number; min: number; max: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const sum = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return {
    mean,
    std: values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0,
    min: Math.min(...values),
    max: Math.max(...values),
  };
};
