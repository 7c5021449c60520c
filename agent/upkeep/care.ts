import type { Config } from "../config/schema.ts";
import { percent } from "../percent.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import type { Answers } from "./answer-noise.ts";
import { addCosts, type Cost, noCost, times } from "./costs.ts";
import { duration } from "./duration.ts";
import { badness, isInExcess, riskWhen, wouldHelp } from "./judgement.ts";
import type { LivingChip, Tuning } from "./living-chip.ts";
import { lookWhenDue } from "./looking.ts";
import { meanAlpha, mostAlpha } from "./mending.ts";
import { rewriteTiles, selfTest, type TestedTile } from "./rewriting.ts";
import { brokenOf, freeSpares, moveTile } from "./spare-tiles.ts";
import { warmedSince } from "./temperature.ts";
import { fewInputs } from "./trial-inputs.ts";
import { verifiedWritesLast } from "./trimming.ts";

/** What the policy needs to know. */
export type CareSettings = Pick<Config["chip"], "compensation" | "upkeep">;

/** A step without the time of the calendar, which is not known here. */
export type CareStep = Omit<UpkeepStep, "wallMs">;

/** What a step took, and why, where it tells that itself. */
type Step = Cost & { readonly pulses?: number; readonly why?: string };

/** Age growth after which a chip is calibrated anew. */
const growth = 1.1;
/** Below so many seconds of growth not. */
const leastSeconds = 60;
/** A tile is written as a whole at most so often, s: 30 days. A step that did not help waits as long, and for twice the age. */
const rewriteSeconds = 30 * 86_400;
/** A change of a calibration stays where it leaves less of the risk than this part. */
const worthwhile = 0.95;

/** Changes of the calibration that are tried in turn, the cheapest first. */
const tunings: readonly { readonly kind: string; readonly change: Partial<Tuning> }[] = [
  { kind: "ranges", change: { followsRanges: true } },
  { kind: "columns", change: { compensation: "per-column" } },
  { kind: "scales", change: { rescaling: "scales" } },
  { kind: "statistics", change: { rescaling: "statistics" } },
];

/**
 * Whether a chip should be looked after now: it never was, its age grew by a tenth, it is warmer or colder, or the time
 * between calibrations is up. @returns why, or undefined
 */
export const whyNow = (chip: LivingChip, { upkeep }: CareSettings): string | undefined => {
  if (upkeep.policy === "none") return undefined;
  const { calibratedAtSeconds, rewrittenAtSeconds } = chip.knowledge;
  if (calibratedAtSeconds === undefined) return "The chip is new.";
  const now = chip.network.atSeconds;
  if (now - calibratedAtSeconds >= upkeep.everySeconds) {
    return `The last calibration was ${duration(now - calibratedAtSeconds)} ago.`;
  }
  const warmed = warmedSince(chip);
  if (warmed !== undefined) return warmed;
  const [age, then] = [now - rewrittenAtSeconds, Math.max(0, calibratedAtSeconds - rewrittenAtSeconds)];
  if (age < growth * then + leastSeconds) return undefined;
  return `The age grew from ${duration(then)} to ${duration(age)}.`;
};

/**
 * Look after a chip at the moment that it shows: calibrate it, estimate how many answers that puts at risk, and while
 * those are more than when the chip was new by more than the tolerance, take the next step that is expected to help:
 *
 *   calibrate    drift compensation, from reads of each input
 *   ranges       new ranges of the ADCs, by what inputs of the stream give
 *   columns      drift compensation for each output by itself
 *   scales       a digital factor for each output, from inputs of the stream beside the digital network
 *   statistics   a factor and an offset, by mean and variance of each output, as AdaBS
 *   devices      self-test: weights that are far off are written anew, partners or spare columns make up for stuck
 *                devices; not where drift is great
 *   spare-tile   a tile that was tested and cannot hold its weights all the same is written onto a spare tile, if that is better
 *   tiles        the third of the tiles whose weights are furthest off is written anew
 *   chip         all tiles are
 *   refuse       the chip answers no more, until a later look finds it better
 *
 * A change of the calibration is fitted to every second input and judged by the others; it stays where it is better by a
 * twentieth; factors of outputs are tried where the decisions themselves are seen, as those of a classifier are. A chip that
 * is new is self-tested whatever its answers are, and trimmed where verified writes last: devices that one leaves closer are
 * written anew. Each step is told with what it took and what it gave.
 *
 * @param occasion after a calibration that is merely `due` the chip is looked at as far as its inferences pay for it
 */
export const lookAfter = (
  chip: LivingChip,
  settings: CareSettings,
  why: string,
  occasion: "asked" | "due" = "asked",
): readonly CareStep[] => {
  const { compensation, upkeep } = settings;
  const steps: CareStep[] = [];
  const isNew = chip.knowledge.calibratedAtSeconds === undefined;
  let answers: Answers | undefined;
  const take = <Taken extends Step>(
    kind: string,
    reason: string,
    step: () => Taken,
    look = () => chip.look(),
  ): Taken => {
    const { risk: riskBefore } = chip.knowledge;
    const taken = step();
    const { pulses = 0, why = reason } = taken;
    answers = look();
    const looked = times(answers?.inferences ?? 0, chip.costs.inference);
    const riskAfter = chip.knowledge.risk;
    const all = addCosts(taken, looked);
    steps.push({ atSeconds: chip.network.atSeconds, kind, why, ...all, pulses, riskBefore, riskAfter });
    return taken;
  };
  const now = chip.network.atSeconds;
  const mayTry = (kind: string) => now >= (chip.knowledge.againAtSeconds[kind] ?? 0);
  const note = (kind: string, hasHelped: boolean) =>
    chip.learn({
      againAtSeconds: {
        ...chip.knowledge.againAtSeconds,
        [kind]: hasHelped ? 0 : now + Math.max(rewriteSeconds, chip.ageSeconds),
      },
    });
  const plain: Tuning = { compensation, rescaling: "none", followsRanges: false };

  const moveBroken = (tested: readonly TestedTile[]): void => {
    for (const broken of brokenOf(tested)) {
      for (const spare of freeSpares(chip)) {
        const { hasMoved } = take("spare-tile", "", () => {
          const step = moveTile(chip, broken, spare);
          if (!isNew) return { ...step, ...addCosts(step, chip.calibrate()) };
          chip.learn({ first: undefined }); // what was seen so far was another tile's
          return step;
        });
        if (hasMoved) break;
      }
    }
  };

  if (isNew && upkeep.policy === "full") {
    const how = verifiedWritesLast(chip.plan.device) ? "trim" : "mend";
    moveBroken(take("self-test", why, () => selfTest(chip, how)).tested);
  }
  // What was found to be better stays.
  const tuning = isNew || upkeep.policy !== "full" ? plain : chip.knowledge;
  const isMerelyDue = occasion === "due" && !isNew;
  take("calibrate", why, () => chip.calibrate(tuning), isMerelyDue ? () => lookWhenDue(chip, upkeep) : undefined);
  if (upkeep.policy !== "full") return steps;

  for (const { kind, change } of tunings) {
    if (!isInExcess(chip, answers, upkeep) || !mayTry(kind) || !isChange(chip, change)) continue;
    if (change.rescaling !== undefined && answers?.direct === undefined) continue;
    let isKept = false;
    take(kind, sentence(chip, answers), () => {
      const { cost, hasHelped } = tryTuning(chip, change);
      isKept = hasHelped;
      return cost;
    });
    note(kind, isKept);
    if (!isKept) steps.push({ ...steps.pop()!, kind: `${kind} (undone)` });
  }
  const canMend = mayTry("devices") && meanAlpha(chip.tiles.map(({ is }) => is)) < mostAlpha;
  if (!isNew && canMend && isInExcess(chip, answers, upkeep)) {
    const before = chip.knowledge.risk ?? 0;
    moveBroken(take("devices", sentence(chip, answers), () => selfTest(chip)).tested);
    note("devices", (chip.knowledge.risk ?? 0) < 0.9 * before);
  }
  const mayWrite = mayRewrite(chip); // all tiles may follow a third of them at once
  for (const [kind, part] of [
    ["tiles", 1 / 3],
    ["chip", 1],
  ] as const) {
    if (!isInExcess(chip, answers, upkeep) || !mayWrite || !wouldHelp(chip, answers, upkeep)) continue;
    const { tested } = take(kind, sentence(chip, answers), () => {
      const written = rewriteTiles(chip, part);
      return { ...written, ...addCosts(written, chip.calibrate()) };
    });
    moveBroken(tested);
  }
  const { risk = 0, riskError = 0, mayAnswer } = chip.knowledge;
  const isTooBad = risk - riskError > upkeep.refuseAbove;
  if (isTooBad && mayAnswer) take("refuse", sentence(chip, answers), () => noCost);
  chip.learn({ mayAnswer: !isTooBad });
  return steps;
};

/** Whether a change would change something that the chip has what it takes for. */
const isChange = ({ knowledge }: LivingChip, change: Partial<Tuning>): boolean => {
  const isFitted = change.rescaling !== undefined;
  if (isFitted && knowledge.inputs.length < fewInputs) return false;
  return Object.entries(change).some(([key, value]) => knowledge[key as keyof Tuning] !== value);
};

/** Change how the chip is calibrated, and keep that where it is better. */
const tryTuning = (chip: LivingChip, change: Partial<Tuning>): { readonly cost: Cost; readonly hasHelped: boolean } => {
  const { compensation, rescaling, followsRanges, inputs } = chip.knowledge;
  const before: Tuning = { compensation, rescaling, followsRanges };
  const after: Tuning = { ...before, ...change };
  const halfOf = (rest: number) => inputs.filter((_, i) => i % 2 === rest);
  const isFitted = after.rescaling !== "none";
  const [toFit, toJudge] = isFitted ? [halfOf(0), halfOf(1)] : [inputs, undefined];
  const judged = (tuning: Tuning): { readonly cost: Cost; readonly answers: Answers | undefined } => {
    const cost = chip.calibrate(tuning, toFit);
    const answers = toJudge ? chip.tryWith(toJudge) : chip.look();
    return { answers, cost: addCosts(cost, times(answers?.inferences ?? 0, chip.costs.inference)) };
  };
  const [old, changed] = [judged(before), judged(after)];
  const hasHelped =
    old.answers !== undefined &&
    changed.answers !== undefined &&
    badness(changed.answers) < worthwhile * badness(old.answers);
  return { hasHelped, cost: addCosts(old.cost, changed.cost, chip.calibrate(hasHelped ? after : before)) };
};

const mayRewrite = (chip: LivingChip): boolean => {
  const { rewrittenAtSeconds } = chip.knowledge;
  return rewrittenAtSeconds === 0 || chip.network.atSeconds - rewrittenAtSeconds >= rewriteSeconds;
};

const sentence = (chip: LivingChip, answers: Answers | undefined): string => {
  if (answers === undefined) return "";
  const { risk } = riskWhen(chip.knowledge.first!, answers);
  return `${percent(answers.risk, 2)} ± ${percent(answers.riskError, 2)} of the answers would differ from the digital network's, ${percent(risk, 2)} when new.`;
};
