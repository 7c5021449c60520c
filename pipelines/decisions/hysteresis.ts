/** What a score says: a `hit` confirms, a `quiet` one speaks for the end, one in `between` for neither. */
export type Level = "hit" | "between" | "quiet";

/** Compare a score with a pair of thresholds, `leave ≤ enter`; NaN is quiet. */
export const levelOf = (score: number, { enter, leave }: { readonly enter: number; readonly leave: number }): Level => {
  if (score >= enter) return "hit";
  return score >= leave ? "between" : "quiet";
};
