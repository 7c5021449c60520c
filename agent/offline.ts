import { from } from "rxjs";
import type { Model } from "../models/model.ts";
import type { OnDrop } from "../pipelines/dropped.ts";
import { pipelineFor } from "../pipelines/pipeline.ts";
import type { AnomalyChange, Classification, SampleBlock } from "../pipelines/signal.ts";
import type { StreamConfig } from "./config/schema.ts";
import { decisionRules, levelRules } from "./decision-rules.ts";
import { usingModel } from "./models.ts";

/** What is asked of a run, and who is told of what comes out. */
export interface OfflineOptions {
  readonly onClassification?: (classification: Classification) => void;
  readonly onChange?: (change: AnomalyChange) => void;
  readonly onDrop?: OnDrop;
  /** What differs from the decision rules of the model. */
  readonly overrides?: StreamConfig["decisions"];
  readonly levels?: StreamConfig["levels"];
}

/** Block length that recordings are cut into: as a sender would. */
export const offlineBlockSeconds = 1;

/**
 * Run blocks straight through the pipeline of a model: no broker, no clock. The same blocks give the same results,
 * bit for bit. @throws what the pipeline throws
 */
export const runOffline = (blocks: Iterable<SampleBlock>, model: Model, options: OfflineOptions): void => {
  const { onClassification = () => {}, onChange = () => {}, onDrop = () => {} } = options;
  const context = {
    rules: decisionRules(model.manifest, options.overrides ?? []),
    levels: levelRules(model.manifest, options.levels ?? []),
    onClassification,
    onDrop,
  };
  let failure: { readonly error: unknown } | undefined;
  const { modality, name } = model.manifest;
  usingModel(name, () => pipelineFor(modality)(model, context))
    .run(from(blocks))
    .subscribe({
      next: onChange,
      error: (error: unknown) => {
        failure = { error };
      },
    });
  if (failure !== undefined) throw failure.error;
};
