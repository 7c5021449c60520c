import type { Model } from "../../models/model.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import type { Config } from "../config/schema.ts";
import { modelBytes, openModel, usingModel } from "../models.ts";
import { type CareStep, lookAfter, whyNow } from "./care.ts";
import { plannedChip } from "./chip-plan.ts";
import { LivingChip } from "./living-chip.ts";
import { ServingChip } from "./serving-chip.ts";

/** A model whose chip lives by the time of what it is told, not by a clock. */
export interface ReplayedChip {
  readonly model: Model;
  /** The same blocks; before each is passed on the chip has lived up to its time, at the clock rate. */
  follow(blocks: Iterable<SampleBlock>): Iterable<SampleBlock>;
}

/**
 * A new chip for a recording: it ages and is looked after as in a running agent, but by event time, so that the same
 * recording gives the same answers. @throws as `openModel`
 */
export const replayedChip = (
  name: string,
  chip: Config["chip"],
  onStep: (step: CareStep) => void = () => {},
): ReplayedChip => {
  if (chip.device === "digital") return { model: openModel(name, chip), follow: (blocks) => blocks };
  const { plan, sha256 } = usingModel(name, () => plannedChip(modelBytes(name), chip));
  const living = usingModel(name, () => new LivingChip(plan, 0, undefined, chip.ageSeconds));
  const { policy, sigmas, reads } = chip.doubt;
  const serving = new ServingChip(living.network, living.knowledge);
  const live = (clockSeconds: number): void => {
    const { inputs, margins } = serving.feed();
    living.remember(inputs, margins);
    living.liveTo(clockSeconds, chip.celsius);
    const why = whyNow(living, chip);
    if (why !== undefined) for (const step of lookAfter(living, chip, why)) onStep(step);
  };
  live(0);
  const doubt = {
    ...{ policy, sigmas, reads, twin: living.twin },
    noise: () => living.knowledge.noise,
    onMargin: serving.answered,
    mayAnswer: () => living.knowledge.mayAnswer,
  };
  return {
    model: { manifest: plan.manifest, sha256, network: serving, doubt },
    *follow(blocks) {
      let startAtNs: bigint | undefined;
      for (const block of blocks) {
        startAtNs ??= block.startAtNs;
        live((Math.max(0, Number(block.startAtNs - startAtNs)) / 1e9) * chip.clockRate);
        yield block;
      }
    },
  };
};
