import { pipe } from "rxjs";
import type { Model } from "../models/model.ts";
import { arrive, conclude, levelsBeside, type PipelineContext, recentOf, samplesIn, telling } from "./context.ts";
import { QrsDetector } from "./dsp/qrs.ts";
import { checkShape, featureSettings } from "./features.ts";
import { beatFeatures } from "./operators/beat-features.ts";
import { classify } from "./operators/classify.ts";
import { bandpass } from "./operators/filter.ts";
import { frameAtRPeaks } from "./operators/frame-at-r-peaks.ts";
import { quantise } from "./operators/quantise.ts";
import { resample } from "./operators/resample.ts";
import { sanitise } from "./operators/sanitise.ts";
import { selectChannels } from "./operators/select-channels.ts";
import { begin, type Pipeline } from "./stages.ts";

/**
 * Electrocardiogram → heart beats by class. In the contract `windowSamples` is the part of a beat's window before its
 * R peak, `hopSamples` the part from it on.
 *
 * @throws RangeError when the model's front end, shape or rules do not fit
 */
export const ecg = (model: Model, context: PipelineContext): Pipeline => {
  const { input } = model.manifest;
  const { sampleRateHz, windowSamples: beforeSamples, hopSamples: afterSamples } = input;
  const settings = featureSettings(input, "beat");
  const { createDetector = (rateHz: number) => new QrsDetector(rateHz) } = context;
  createDetector(sampleRateHz); // a rate that it cannot take is refused at once
  checkShape(input, [1, beforeSamples + afterSamples, settings.channels.length]);
  const recent = recentOf(context);
  const maxRunSamples = samplesIn(0.02, input);
  return begin("reorder", arrive(context, recent, maxRunSamples))
    .stage("sanitise", pipe(selectChannels(input.channels, context.onDrop), sanitise({ maxRunSamples, ...context })))
    .stage("resample", resample({ sampleRateHz, ...context }))
    .stage("bandpass", bandpass({ ...settings, sampleRateHz }))
    .stage("frame", frameAtRPeaks({ beforeSamples, afterSamples, createDetector }))
    .stage("normalise", beatFeatures(settings, { shape: input.shape, peakAt: beforeSamples }))
    .stage("quantise", quantise(input))
    .stage("classify", pipe(classify(model), telling(context)))
    .stage("decide", conclude(model, context, recent))
    .end(levelsBeside(context, recent));
};
