import { roundHalfToEven } from "../quantisation.ts";

/**
 * Where the levels of a converter lie. `sign-magnitude`: 2^bits − 1, evenly over −1 … 1, zero among them. `plain`: 2^bits,
 * evenly over low … 1, ends included, so that zero need not be one of them. Both are CrossSim's conventions.
 */
export type Convention = "sign-magnitude" | "plain";

/** A converter over parts of its full scale: clips, then rounds half to even to a level. */
export interface Levels {
  /** Steps between zero, or `low`, and full scale: the largest code. */
  readonly codeMax: number;
  /** The level of a part; NaN is taken as 0. */
  levelOf(part: number): number;
  /** Whether a part is rounded to beyond the last level on its side. */
  isClipped(part: number): boolean;
}

/**
 *   sign-magnitude   level = rint(clip(p, ±1) c) / c                c = 2^(bits − 1) − 1
 *   plain            level = low + rint((clip(p) − low) / s) s      s = (1 − low) / (2^bits − 1)
 *
 * @param low of plain levels, −1 … 0
 */
export const levelsOf = (convention: Convention, bits: number, low: number): Levels => {
  const isPlain = convention === "plain";
  const codeMax = isPlain ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  const from = isPlain ? low : 0;
  const step = (1 - from) / codeMax;
  const [least, most] = [isPlain ? 0 : -codeMax, codeMax];
  const codeOf = (part: number): number => rint((part - from) / step);
  return {
    codeMax,
    levelOf: (part) => (Number.isNaN(part) ? 0 : from + Math.max(least, Math.min(most, codeOf(part))) * step),
    isClipped: (part) => codeOf(part) < least || codeOf(part) > most,
  };
};

const rint = (x: number): number => (x < 0 ? -roundHalfToEven(-x) : roundHalfToEven(x));
