import type { Manifest } from "../models/manifest.ts";
import type { Model } from "../models/model.ts";
import type { Network } from "../models/network/network.ts";
import { audio } from "./audio.ts";
import type { PipelineContext } from "./context.ts";
import { ecg } from "./ecg.ts";
import { sensor } from "./sensor.ts";
import type { Pipeline } from "./stages.ts";
import { vibration } from "./vibration.ts";

export type { PipelineContext } from "./context.ts";

const pipelines = { audio, ecg, vibration, sensor } as const;

/** The pipeline of a modality. @throws RangeError for images and vectors, which do not stream */
export const pipelineFor = (modality: Manifest["modality"]): ((model: Model, context: PipelineContext) => Pipeline) => {
  if (modality !== "image" && modality !== "vectors") return pipelines[modality];
  throw new RangeError(`modality: expected one that streams (${Object.keys(pipelines).join(", ")}), got ${modality}`);
};

/**
 * The pipeline of a model that is yet to be trained: good up to `normalise`, so that training sees the very features
 * that the agent will make.
 *
 * @throws RangeError when front end and shape do not fit
 */
export const frontEnd = (
  manifest: Pick<Manifest, "modality" | "task" | "labels" | "input">,
  context: PipelineContext,
): Pipeline => {
  const { task, input } = manifest;
  // A forecaster runs step by step: see `models/running-form.ts`.
  const shape = task === "forecaster" ? [1, 1, input.channels.length] : input.shape;
  const network: Network = {
    inputShape: shape,
    outputShape: manifest.task !== "classifier" ? shape : [manifest.labels.length],
    infer: () => {
      throw new Error("network: expected a trained one, got only a front end");
    },
  };
  const untrained: Manifest = {
    name: "untrained",
    version: "0",
    mapping: { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, ranges: {} },
    decisions: [],
    testVectors: [],
    training: { recipe: "", seed: 0, command: "" },
    ...manifest,
  };
  return pipelineFor(manifest.modality)({ manifest: untrained, sha256: "", network }, context);
};
