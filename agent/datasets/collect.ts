import { from } from "rxjs";
import type { Features, SampleBlock } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";

/**
 * All features that a pipeline makes of a recording, by the very stages that the agent runs. Training and
 * evaluation read their features through this one door.
 */
export const collectFeatures = (pipeline: Pipeline, blocks: Iterable<SampleBlock>): Features[] => {
  const features: Features[] = [];
  from(blocks)
    .pipe(pipeline.upTo("normalise"))
    .subscribe({
      next: (f) => features.push(f),
      error: (error: unknown) => {
        throw error;
      },
    });
  return features;
};
