import { pipe } from "rxjs";
import type { Model } from "../models/model.ts";
import { arrive, conclude, levelsBeside, type PipelineContext, recentOf, telling } from "./context.ts";
import { checkShape, featureSettings } from "./features.ts";
import { forecasting } from "./forecasting.ts";
import { frame } from "./operators/frame.ts";
import { asFeatures } from "./operators/normalise.ts";
import { quantise } from "./operators/quantise.ts";
import { resample } from "./operators/resample.ts";
import { sanitise } from "./operators/sanitise.ts";
import { score } from "./operators/score.ts";
import { selectChannels } from "./operators/select-channels.ts";
import { standardiseFromBaseline } from "./operators/standardise-from-baseline.ts";
import { begin, type Pipeline } from "./stages.ts";

const maxGapSamples = 5; // slow loggers skip a row now and then

/**
 * Slow sensors of one machine → whether they still move together as in the stream's first rows.
 *
 * @throws RangeError when the model's front end, shape or rules do not fit
 */
export const sensor = (model: Model, context: PipelineContext): Pipeline => {
  const { input } = model.manifest;
  if (input.features.kind === "forecast") return forecasting(model, context);
  const { windowSamples, hopSamples, channels } = input;
  const settings = featureSettings(input, "standardised");
  checkShape(input, [1, windowSamples, channels.length], [windowSamples * channels.length]);
  const recent = recentOf(context);
  return begin("reorder", arrive(context, recent, maxGapSamples))
    .stage(
      "sanitise",
      pipe(selectChannels(channels, context.onDrop), sanitise({ maxRunSamples: maxGapSamples, ...context })),
    )
    .stage("resample", resample({ sampleRateHz: input.sampleRateHz, ...context }))
    .stage("standardise", standardiseFromBaseline(settings, context.onDrop))
    .stage("frame", frame({ frameSamples: windowSamples, hopSamples }))
    .stage("normalise", asFeatures(input.shape))
    .stage("quantise", quantise(input))
    .stage("classify", pipe(score(model, settings), telling(context)))
    .stage("decide", conclude(model, context, recent))
    .end(levelsBeside(context, recent));
};
