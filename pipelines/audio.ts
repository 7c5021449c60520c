import { pipe } from "rxjs";
import type { Model } from "../models/model.ts";
import { arrive, conclude, levelsBeside, type PipelineContext, recentOf, samplesIn, telling } from "./context.ts";
import { checkShape, featureSettings } from "./features.ts";
import { classify } from "./operators/classify.ts";
import { frame } from "./operators/frame.ts";
import { isMfcc, mfcc } from "./operators/mfcc.ts";
import { normalise } from "./operators/normalise.ts";
import { quantise } from "./operators/quantise.ts";
import { resample } from "./operators/resample.ts";
import { sanitise } from "./operators/sanitise.ts";
import { begin, type Pipeline } from "./stages.ts";

/**
 * Sound → keywords. Blocks of sound at any rate, or of MFCCs computed at the sensor (channels `c0`, `c1` …).
 *
 * @throws RangeError when the model's front end, shape or rules do not fit
 */
export const audio = (model: Model, context: PipelineContext): Pipeline => {
  const { input } = model.manifest;
  const settings = featureSettings(input, "mfcc");
  const frameSamples = Math.floor((input.windowSamples - settings.frameSamples) / settings.hopSamples) + 1;
  const hopSamples = Math.round(input.hopSamples / settings.hopSamples);
  checkShape(input, [1, frameSamples, settings.coefficients], [frameSamples, settings.coefficients, 1]);
  const recent = recentOf(context);
  const maxRunSamples = samplesIn(0.005, input);
  return begin("reorder", arrive(context, recent, maxRunSamples))
    .stage("sanitise", sanitise({ maxRunSamples, ...context }))
    .stage("resample", resample({ sampleRateHz: input.sampleRateHz, unless: isMfcc, ...context }))
    .stage("mfcc", mfcc(settings, input.sampleRateHz, context.onDrop))
    .stage("frame", frame({ frameSamples, hopSamples }))
    .stage("normalise", normalise(settings, input.shape))
    .stage("quantise", quantise(input))
    .stage("classify", pipe(classify(model), telling(context)))
    .stage("decide", conclude(model, context, recent))
    .end(levelsBeside(context, recent));
};
