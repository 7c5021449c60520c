import type { Model } from "../../models/model.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import type { Config } from "../config/schema.ts";
import { modelBytes, openModel, usingModel } from "../models.ts";
import type { Emit } from "../telemetry/events.ts";
import { type CareStep, lookAfter, whyNow } from "./care.ts";
import { plannedChip } from "./chip-plan.ts";
import { LivingChip } from "./living-chip.ts";
import { ServingChip } from "./serving-chip.ts";
import { TemperatureFeed } from "./temperature.ts";

/** A model whose chip lives by the time of what it is told, not by a clock. */
export interface ReplayedChip {
  readonly model: Model;
  /** The same blocks; before each is passed on the chip has lived up to its time, at the clock rate. */
  follow(blocks: Iterable<SampleBlock>): Iterable<SampleBlock>;
}

/**
 * A new chip for a recording: it ages and is looked after as in a running agent, but by event time, so that the same
 * recording gives the same answers. Where the recording is of the stream that tells the temperature, it is as warm as
 * that says. @throws as `openModel`
 */
export const replayedChip = (
  name: string,
  chip: Config["chip"],
  onStep: (step: CareStep) => void = () => {},
  emit: Emit = () => {},
): ReplayedChip => {
  if (chip.device === "digital") return { model: openModel(name, chip), follow: (blocks) => blocks };
  const { plan, sha256 } = usingModel(name, () => plannedChip(modelBytes(name), chip));
  const living = usingModel(name, () => new LivingChip(plan, 0, undefined, chip.ageSeconds));
  const { policy, sigmas, reads } = chip.doubt;
  const serving = new ServingChip(living.network, living.knowledge);
  let eventSeconds = 0;
  const feed = new TemperatureFeed(chip, { emit, steadyMs: () => 1000 * eventSeconds });
  const live = (clockSeconds: number): void => {
    const { inputs, margins, inference } = serving.feed();
    living.remember(inputs, margins, inference);
    living.liveTo(clockSeconds, feed.celsius);
    const why = whyNow(living, chip);
    if (why !== undefined) for (const step of lookAfter(living, chip, why, "due")) onStep(step);
  };
  living.liveTo(0, chip.celsius);
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
        eventSeconds = Math.max(eventSeconds, Number(block.startAtNs - startAtNs) / 1e9);
        feed.decoded(block.stream, { ok: true, blocks: [block] });
        live(eventSeconds * chip.clockRate);
        yield block;
      }
    },
  };
};
