import { pipe } from "rxjs";
import type { Model } from "../models/model.ts";
import { arrive, conclude, levelsBeside, type PipelineContext, recentOf, samplesIn, telling } from "./context.ts";
import { checkShape, featureSettings } from "./features.ts";
import { classify } from "./operators/classify.ts";
import { frame } from "./operators/frame.ts";
import { quantise } from "./operators/quantise.ts";
import { resample } from "./operators/resample.ts";
import { sanitise } from "./operators/sanitise.ts";
import { selectChannels } from "./operators/select-channels.ts";
import { spectrum } from "./operators/spectrum.ts";
import { begin, type Pipeline } from "./stages.ts";

/**
 * Acceleration of a machine → state of its bearings, from the shape of the spectrum.
 *
 * @throws RangeError when the model's front end, shape or rules do not fit
 */
export const vibration = (model: Model, context: PipelineContext): Pipeline => {
  const { input } = model.manifest;
  const settings = featureSettings(input, "spectrum");
  if (input.channels.length !== 1) {
    throw new RangeError(`input.channels: expected one, the acceleration, got ${input.channels.length}`);
  }
  checkShape(input, [1, settings.bands, 1]);
  const recent = recentOf(context);
  const maxRunSamples = samplesIn(0.002, input);
  return begin("reorder", arrive(context, recent, maxRunSamples))
    .stage("sanitise", pipe(selectChannels(input.channels, context.onDrop), sanitise({ maxRunSamples, ...context })))
    .stage("resample", resample({ sampleRateHz: input.sampleRateHz, ...context }))
    .stage("frame", frame({ frameSamples: input.windowSamples, hopSamples: input.hopSamples }))
    .stage("normalise", spectrum(settings, input.shape))
    .stage("quantise", quantise(input))
    .stage("classify", pipe(classify(model), telling(context)))
    .stage("decide", conclude(model, context, recent))
    .end(levelsBeside(context, recent));
};
