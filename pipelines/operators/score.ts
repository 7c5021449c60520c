import type { OperatorFunction } from "rxjs";
import type { Model } from "../../models/model.ts";
import { dequantiseInto } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import { median, quantile } from "../dsp/statistics.ts";
import type { StandardisedSettings } from "../features.ts";
import type { Assurance, Classification, QuantisedFeatures } from "../signal.ts";
import { askOf } from "./ask.ts";
import { checkFit, mayAnswer } from "./classify.ts";
import { type Step, stateful } from "./stateful.ts";

/**
 * Score windows by how badly an autoencoder gives them back, in units of a threshold learned from the stream itself:
 *
 *   e = mean (x̂ − x)²               over the last `scoredRows` rows of the window
 *   ē = median of the last `smoothWindows` e; begun afresh after a gap
 *   threshold = thresholdFactor · thresholdQuantile-quantile of ē over the baseline's windows
 *   score = ē / threshold,          label `anomaly` from 1 on, probability score / (score + 1)
 *
 *   quantised         --x x x x------------x---|
 *                     score(model, settings)       here a baseline of four windows
 *   classifications   --------(· · · ·)----·---|
 *
 * The baseline's windows are as many as its rows hold without a gap. Nothing comes out before they are complete, then
 * all at once; a stream that ends before gives nothing. A window whose ē lies within the noise of the chip about the
 * threshold is treated as the doubt of the model says.
 *
 * @throws RangeError at once, when features and network do not fit, or the baseline is shorter than a window
 */
export const score = (
  model: Model,
  settings: StandardisedSettings,
): OperatorFunction<QuantisedFeatures, Classification> => {
  const { input: contract, name, labels } = model.manifest;
  checkFit(model, sizeOf(contract.shape));
  const { baselineRows, scoredRows, smoothWindows, thresholdQuantile, thresholdFactor } = settings;
  const baselineWindows = Math.floor((baselineRows - contract.windowSamples) / contract.hopSamples) + 1;
  if (baselineWindows < 1) {
    throw new RangeError(
      `baselineRows: expected at least a window of ${contract.windowSamples} rows, got ${baselineRows}`,
    );
  }
  const size = sizeOf(contract.shape);
  const scoredFrom = Math.max(0, size - scoredRows * contract.channels.length);
  const input = new Float32Array(size);
  const output = new Float32Array(size);
  const ask = askOf(model);
  const errorIn = (output: Float32Array): number => {
    let sum = 0;
    for (let i = scoredFrom; i < size; i++) sum += (output[i]! - input[i]!) ** 2;
    return sum / (size - scoredFrom);
  };
  /** While no threshold is known there is nothing to doubt. @param before the errors that this one is smoothed with */
  const errorOf = (
    { tensor }: QuantisedFeatures,
    before: readonly number[],
    threshold: number | undefined,
  ): [number, Assurance] => {
    dequantiseInto(tensor, input);
    const assurance = ask(input, output, (given) =>
      threshold === undefined
        ? Number.POSITIVE_INFINITY
        : Math.abs(Math.log(median([...before, errorIn(given)]) / threshold)),
    );
    return [errorIn(output), threshold === undefined ? {} : assurance];
  };
  const judge = (
    { tensor: _, ...when }: QuantisedFeatures,
    error: number,
    threshold: number,
    assurance: Assurance,
  ): Classification => {
    const value = error / threshold;
    const label = labels[value >= 1 ? 1 : 0]!;
    const scores = Float32Array.of(value);
    const margin = Math.abs(value - 1);
    return { ...when, label, probability: value / (value + 1), scores, margin, model: name, ...assurance };
  };
  return stateful((): Step<QuantisedFeatures, Classification> => {
    const held: { readonly features: QuantisedFeatures; readonly error: number }[] = [];
    const recent: number[] = [];
    let threshold: number | undefined;
    return {
      *take(features) {
        if (features.afterGap) recent.length = 0;
        if (!mayAnswer(model)) return;
        if (recent.length >= smoothWindows) recent.shift();
        const [newest, assurance] = errorOf(features, recent, threshold);
        recent.push(newest);
        const error = median(recent);
        if (threshold !== undefined) {
          yield judge(features, error, threshold, assurance);
          return;
        }
        held.push({ features, error });
        if (held.length < baselineWindows) return;
        const errors = held.map((h) => h.error);
        threshold = Math.max(Number.MIN_VALUE, thresholdFactor * quantile(errors, thresholdQuantile));
        for (const h of held.splice(0)) yield judge(h.features, h.error, threshold, {});
      },
    };
  });
};
