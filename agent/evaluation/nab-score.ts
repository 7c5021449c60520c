/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, 2015; NAB 1.1). A window is worth up to 1, the more the
 * earlier its first detection; a detection outside costs, the less the nearer it is behind a window:
 *
 *   σ(p)   = 2 / (1 + e^5p) − 1
 *   inside  σ(−(last − row + 1) / width) / σ(−1)
 *   outside σ((row − last) / (width − 1)) · fpWeight, by the window before; −fpWeight from 3 on and before all windows
 *   missed  −fnWeight a window
 */
export const nabProfiles = {
  standard: { fpWeight: 0.11, fnWeight: 1 },
  lowFalsePositives: { fpWeight: 0.22, fnWeight: 1 },
  lowFalseNegatives: { fpWeight: 0.11, fnWeight: 2 },
} as const;

/** What a false alarm costs and a missed window. */
export interface NabProfile {
  readonly fpWeight: number;
  readonly fnWeight: number;
}

/** Length of a series and its windows, first and last row each, in order. */
export interface NabLabels {
  readonly rows: number;
  readonly windows: readonly (readonly [first: number, last: number])[];
}

/** Rows at the start of a series that are not scored, and that a detector may learn from: 15 %, of 5,000 at most. */
export const probationRows = (rows: number): number => Math.floor(Math.min(Math.floor(0.15 * rows), 0.15 * 5000));

const scaledSigmoid = (position: number): number => (position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** What detections at some rows score on one series, not normalised; those in its probation do not count. */
export const nabScore = (
  { rows, windows }: NabLabels,
  detections: readonly number[],
  { fpWeight, fnWeight }: NabProfile,
): number => {
  const probation = probationRows(rows);
  let score = 0;
  const best = new Map<number, number>();
  windows.forEach(([, last], w) => {
    if (last >= probation) best.set(w, -fnWeight);
  });
  for (const row of detections) {
    if (row < probation) continue;
    const inside = windows.findIndex(([first, last]) => row >= first && row <= last);
    if (inside >= 0) {
      const [first, last] = windows[inside]!;
      const credit = scaledSigmoid(-(last - row + 1) / (last - first + 1)) / scaledSigmoid(-1);
      best.set(inside, Math.max(best.get(inside)!, credit));
    } else {
      const before = windows.findLast(([, last]) => last < row);
      score += fpWeight * (before ? scaledSigmoid((row - before[1]) / (before[1] - before[0])) : -1);
    }
  }
  for (const credit of best.values()) score += credit;
  return score;
};

/** 100 for all windows found at their first row and nothing else, 0 for nothing found. */
export const nabNormalised = (
  series: readonly NabLabels[],
  detections: readonly (readonly number[])[],
  profile: NabProfile,
): number => {
  const raw = series.reduce((sum, labels, i) => sum + nabScore(labels, detections[i]!, profile), 0);
  const [nothing, all] = [-profile.fnWeight, 1].map((each) => each * windowsScored(series));
  return (100 * (raw - nothing!)) / (all! - nothing!);
};

/** Windows that are not wholly in the probation of their series. */
export const windowsScored = (series: readonly NabLabels[]): number =>
  series.reduce((sum, { rows, windows }) => sum + windows.filter(([, last]) => last >= probationRows(rows)).length, 0);
