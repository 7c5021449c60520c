import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import type { InputContract } from "../../models/manifest.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import type { Network } from "../../models/network/network.ts";
import { quantiseTensor } from "../../models/quantisation.ts";
import { runningForm } from "../../models/running-form.ts";
import { quantile } from "../../pipelines/dsp/statistics.ts";
import { featureSettings } from "../../pipelines/features.ts";
import type { ShippedModel } from "./bring-recipe.ts";
import { scoresOf } from "./nab-task.ts";

/** A chip at an age, with drift given back by one factor a tile. */
export interface AgedChip {
  readonly device: string;
  readonly seed: number;
  readonly ageSeconds: number;
}

/** What thresholds are set on: chips that no evaluation has, of both devices, a day and a year old. */
export const thresholdChips: readonly AgedChip[] = ["pcm-nandakumar-2019", "rram-wan-2022"].flatMap((device) =>
  [86_400, 31_536_000].flatMap((ageSeconds) =>
    [1001, 1002, 1003, 1004, 1005].map((seed) => ({ device, seed, ageSeconds })),
  ),
);

/**
 * The contract with the threshold of a forecaster that was made with a threshold of 1:
 *
 *   threshold = mean over chips of the `part`-quantile, over series, of the largest score of a series
 *
 * over the rows that it was trained on. At ½ half of the series would have been silent. It is chips that are judged by it:
 * their noise is in the errors that a score is measured by, and takes some of it. And on the digital network the quantile is
 * the score of one series or two; chips weigh several. No label is looked at.
 */
export const withThreshold = (
  { graph, manifest }: Pick<ShippedModel, "graph" | "manifest">,
  series: readonly Float32Array[],
  part: number,
  chips: readonly AgedChip[] = thresholdChips,
): InputContract => {
  const { input, mapping } = manifest;
  const form = runningForm(graph, manifest);
  const quantiles = chips.map(({ device: name, seed, ageSeconds }) => {
    const chip = new AnalogNetwork(form, { device: deviceByName(name), seed, mapping, kernel: "simd" });
    chip.ageTo(ageSeconds);
    chip.calibrate("global");
    return quantile(largestScores(chip, input, series), part);
  });
  const threshold = quantiles.reduce((sum, value) => sum + value, 0) / quantiles.length;
  return { ...input, features: { ...input.features, threshold: Number(threshold.toPrecision(4)) } };
};

/** The largest score of each series of rows, in thresholds of the contract. */
export const largestScores = (
  network: Network,
  input: InputContract,
  series: readonly Float32Array[],
): readonly number[] => {
  const settings = featureSettings(input, "forecast");
  const { scale } = input;
  return series.map((rows) => {
    const { data } = quantiseTensor(rows, [rows.length], { scale, zeroPoint: 0 });
    return scoresOf(network, data, scale, settings).reduce((most, score) => Math.max(most, score), 0);
  });
};
