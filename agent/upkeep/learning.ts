import type { Config } from "../config/schema.ts";
import type { CareStep } from "./care.ts";
import { addCosts, times } from "./costs.ts";
import { lastLayerOf } from "./last-layer.ts";
import { daySeconds, Learning } from "./last-layer-learning.ts";
import { holdWeights, LastLayerReads } from "./last-layer-reads.ts";
import { type Lesson, unlearned } from "./learned.ts";
import type { LivingChip } from "./living-chip.ts";

type Settings = Config["chip"]["learning"];

/** Why a chip should learn now, or undefined: there are too few labels that are new, or it learned often enough today. */
export const whyLearn = (
  { knowledge, plan, manifest }: LivingChip,
  { policy, minimum, perDay }: Settings,
  lessons: readonly Lesson[],
  clockSeconds: number,
): string | undefined => {
  if (policy === "none" || !knowledge.mayAnswer) return undefined;
  const { untilMs, atClockSeconds } = knowledge.learned ?? unlearned;
  const fresh = lessons.filter(({ atMs }) => atMs > untilMs).length;
  const today = atClockSeconds.filter((at) => clockSeconds - at < daySeconds).length;
  if (fresh < minimum || today >= perDay || lastLayerOf(plan.graph, manifest) === undefined) return undefined;
  return `${fresh} anomalies were labelled.`;
};

/** Learn from labelled anomalies: `whyLearn` said why. @returns the step, whether it helped or was taken back */
export const learn = (
  chip: LivingChip,
  settings: Settings,
  lessons: readonly Lesson[],
  clockSeconds: number,
  why: string,
): CareStep => {
  const { risk: riskBefore } = chip.knowledge;
  const learning = new Learning(chip, settings, lessons);
  const told = learning.run(clockSeconds);
  return stepOf(chip, "learn", `${why} ${told}`, learning, riskBefore);
};

/** Let a chip be as it was trained: devices of the last layer are written back. Labels that were given count no more. */
export const forget = (chip: LivingChip, lessons: readonly Lesson[], wallMs: number): CareStep | undefined => {
  const layer = lastLayerOf(chip.plan.graph, chip.manifest);
  const { learned } = chip.knowledge;
  if (layer === undefined || learned?.weights === undefined) return undefined;
  const { risk: riskBefore } = chip.knowledge;
  const reads = new LastLayerReads(chip, layer);
  const written = holdWeights(chip, layer, layer.weights);
  const untilMs = lessons.reduce((last, { atMs }) => Math.max(last, atMs), wallMs);
  chip.learn({ learned: { ...learned, weights: undefined, untilMs, fromMs: untilMs } });
  const why = "It was asked for: the last layer is as it was trained.";
  return stepOf(chip, "forget", why, { written, writings: 1, reads }, riskBefore);
};

/** What something took of the last layer. */
type Work = Pick<Learning, "written" | "writings" | "reads">;

const stepOf = (
  chip: LivingChip,
  kind: string,
  why: string,
  { written: { pulses, seconds, joules }, writings, reads }: Work,
  riskBefore: number | undefined,
): CareStep => {
  const looked = chip.look()?.inferences ?? 0;
  const { inference, response } = chip.costs;
  const tiles = reads.array.tiles.map(({ place }) => response(place.outputs, place.inputs));
  const cost = addCosts(
    { reads: 0, seconds, joules },
    times(looked + reads.inferences, inference),
    // A product of the layer by itself costs what its tiles are of an inference; a writing reads each input before and after.
    times((reads.products * tiles.length) / inference.reads, inference),
    times(2 * writings, addCosts(...tiles)),
  );
  const { risk: riskAfter } = chip.knowledge;
  const step = { atSeconds: chip.network.atSeconds, kind, why, ...cost, pulses, riskBefore, riskAfter };
  return { ...step, reads: Math.round(cost.reads) };
};
