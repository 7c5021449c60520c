import { type NabLabels, type NabProfile, nabNormalised } from "./nab-score.ts";

/** Rows of the window, and by how many it moves at a time. */
const windowRows = 6400;
const stepRows = 100;
/** So many standard deviations and more have the anomaly score 1 in double precision: ½ erfc(z / √2) ≤ 2⁻⁵⁴. */
const certainSigmas = 8.2924;

/**
 * The windowed Gaussian of the Numenta Anomaly Benchmark (`nab/detectors/gaussian`), its simplest detector: how many standard
 * deviations each value lies from the mean of the up to 6,400 before it, in a window that moves on by 100. NAB's score is
 * 1 − Q(z), which grows with z and is 1 from `certainSigmas` on.
 */
export const windowedGaussian = (values: ArrayLike<number>): Float64Array => {
  const sigmas = new Float64Array(values.length);
  const origin = values[0] ?? 0; // of the sums, so that they lose no digits to a large mean
  let [from, to, sum, squares] = [0, 0, 0, 0];
  const take = (row: number, sign: 1 | -1): void => {
    const x = values[row]! - origin;
    sum += sign * x;
    squares += sign * x * x;
  };
  for (let i = 0; i < values.length; i++) {
    if (i > 0) {
      const mean = sum / (to - from);
      const std = Math.sqrt(Math.max(0, squares / (to - from) - mean * mean)) || 1e-6;
      sigmas[i] = Math.min(certainSigmas, Math.abs(values[i]! - origin - mean) / std);
    }
    if (i < windowRows) take(to++, 1);
    else if ((i + 1 - windowRows) % stepRows === 0) {
      for (let k = 0; k < stepRows; k++) {
        take(from++, -1);
        take(to++, 1);
      }
    }
  }
  return sigmas;
};

/**
 * NAB's own protocol for detectors without a threshold: that one which scores best by the labels, the same for all series.
 * Each row at or above it is a detection.
 */
export const bestByLabels = (
  series: readonly NabLabels[],
  sigmas: readonly Float64Array[],
  profile: NabProfile,
): { readonly score: number; readonly threshold: number } => {
  const thresholds = [...Array.from({ length: 630 }, (_, k) => 2 + k / 100), certainSigmas];
  const suspects = sigmas.map((rows) => [...rows.keys()].filter((row) => rows[row]! >= thresholds[0]!));
  const scores = thresholds.map((threshold) => {
    const detections = suspects.map((rows, s) => rows.filter((row) => sigmas[s]![row]! >= threshold));
    return { score: nabNormalised(series, detections, profile), threshold };
  });
  return scores.reduce((best, next) => (next.score > best.score ? next : best));
};
