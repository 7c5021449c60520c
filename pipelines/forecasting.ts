import { pipe } from "rxjs";
import type { Model } from "../models/model.ts";
import { arrive, conclude, levelsBeside, type PipelineContext, recentOf, telling } from "./context.ts";
import { checkShape, featureSettings } from "./features.ts";
import { forecast } from "./operators/forecast.ts";
import { frame } from "./operators/frame.ts";
import { asFeatures } from "./operators/normalise.ts";
import { quantise } from "./operators/quantise.ts";
import { resample } from "./operators/resample.ts";
import { sanitise } from "./operators/sanitise.ts";
import { selectChannels } from "./operators/select-channels.ts";
import { standardiseFromBaseline } from "./operators/standardise-from-baseline.ts";
import { begin, type Pipeline } from "./stages.ts";

const maxGapSamples = 5;

/**
 * Slow sensors → whether each row is as the rows before let one expect, row by row through a network that carries its state.
 *
 * @throws RangeError when the model's front end, shape or rules do not fit
 */
export const forecasting = (model: Model, context: PipelineContext): Pipeline => {
  const { input } = model.manifest;
  const { channels, sampleRateHz, windowSamples } = input;
  const settings = featureSettings(input, "forecast");
  checkShape(input, [1, windowSamples, channels.length]);
  const recent = recentOf(context);
  return begin("reorder", arrive(context, recent, maxGapSamples))
    .stage(
      "sanitise",
      pipe(selectChannels(channels, context.onDrop), sanitise({ maxRunSamples: maxGapSamples, ...context })),
    )
    .stage("resample", resample({ sampleRateHz, ...context }))
    .stage("standardise", standardiseFromBaseline(settings, context.onDrop))
    .stage("frame", frame({ frameSamples: 1, hopSamples: 1 }))
    .stage("normalise", asFeatures([1, 1, channels.length]))
    .stage("quantise", quantise(input))
    .stage("classify", pipe(forecast(model, settings), telling(context)))
    .stage("decide", conclude(model, context, recent))
    .end(levelsBeside(context, recent));
};
