import { expect } from "vitest";
import { oracle } from "./oracle.ts";

/** Statistics of a million devices of another simulator, in µS or in ν. */
export interface Statistics {
  mean: number;
  std: number;
  se_mean: number;
  quantiles_1_5_25_50_75_95_99: number[];
}
/** One target conductance: as programmed, the exponents, and at ages. */
export interface DeviceRow {
  g_target_uS: number;
  g_rel: number;
  programmed: Statistics;
  nu?: Statistics;
  at: Record<string, Statistics & { t_inference_s: number }>;
}

const statistics = (values: ArrayLike<number>) => {
  const sorted = Float64Array.from(values).sort();
  const mean = sorted.reduce((sum, x) => sum + x, 0) / sorted.length;
  const std = Math.sqrt(sorted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / sorted.length);
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!;
  const kurtosis = sorted.reduce((sum, x) => sum + (x - mean) ** 4, 0) / sorted.length / std ** 4;
  return { mean, std, kurtosis, quantiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map(quantile) };
};

/** The rows of a model of aihwkit. Only where there are oracles. */
export const deviceRows = (model: string): DeviceRow[] =>
  oracle<{ models: Record<string, DeviceRow[]> }>("device_stats_aihwkit.json").models[model]!;

/** Ours, as many devices as there are, have the statistics of theirs; quantiles to 1 % of full scale. */
export const compareWith = (ours: ArrayLike<number>, theirs: Statistics, fullScale: number): void => {
  const { mean, std, kurtosis, quantiles } = statistics(ours);
  const standardError = Math.hypot(std / Math.sqrt(ours.length), theirs.se_mean);
  // Relative, both sides: for heavy tails (the unused device after a year) four of them are more than 1 %.
  const stdError = Math.sqrt(((kurtosis - 1) / 4) * (1 / ours.length + 1e-6));
  expect(Math.abs(mean - theirs.mean)).toBeLessThan(5 * standardError);
  expect(Math.abs(std / theirs.std - 1)).toBeLessThan(Math.max(0.01, 4 * stdError));
  quantiles.forEach((q, i) => {
    expect(Math.abs(q - theirs.quantiles_1_5_25_50_75_95_99[i]!)).toBeLessThan(0.01 * fullScale);
  });
};
