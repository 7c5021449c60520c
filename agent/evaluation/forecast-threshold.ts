import type { InputContract } from "../../models/manifest.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import { streamingForm } from "../../models/network/streaming.ts";
import { quantiseTensor } from "../../models/quantisation.ts";
import { quantile } from "../../pipelines/dsp/statistics.ts";
import { featureSettings } from "../../pipelines/features.ts";
import { scoresOf } from "./nab-task.ts";

/**
 * The contract with the threshold of a trained forecaster: that quantile of the largest score of each series, over the rows
 * that it was trained on. At ½ half of the series would have been silent. No label is looked at.
 */
export const withThreshold = (
  graph: Graph,
  input: InputContract,
  series: readonly Float32Array[],
  part: number,
): InputContract => {
  const settings = { ...featureSettings(input, "forecast"), threshold: 1 };
  const network = new DigitalNetwork(streamingForm(graph));
  const { scale } = input;
  const largest = series.map((rows) => {
    const { data } = quantiseTensor(rows, [rows.length], { scale, zeroPoint: 0 });
    return scoresOf(network, data, scale, settings).reduce((most, score) => Math.max(most, score), 0);
  });
  return { ...input, features: { ...input.features, threshold: Number(quantile(largest, part).toPrecision(4)) } };
};
