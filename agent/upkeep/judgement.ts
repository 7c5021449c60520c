import type { Config } from "../config/schema.ts";
import { type Answers, type Risk, riskOf, type Seen } from "./answer-noise.ts";
import type { LivingChip } from "./living-chip.ts";
import { verifiedWritesLast } from "./trimming.ts";

type Upkeep = Config["chip"]["upkeep"];

/**
 * Answers of a detector that differ are those near its threshold, where about as many are lost as won: of so many of them one
 * is lost. By pump-anomaly, where 7 to 9 % more of them took 0.7 to 0.8 points of F1 (docs/lifetime.md).
 */
const wonOrLost = 10;

/** What may differ beside a new chip before more is done. */
const toleranceOf = ({ manifest }: LivingChip, { tolerance }: Upkeep): number =>
  manifest.task === "classifier" ? tolerance : wonOrLost * tolerance;

/**
 * Whether more answers are at risk than the tolerance allows beside a new chip, beyond what the estimates may err. Without
 * margins there is no telling.
 */
export const isInExcess = (chip: LivingChip, answers: Answers | undefined, upkeep: Upkeep): boolean =>
  answers !== undefined &&
  answers.margins.length > 0 &&
  isWorse(answers, chip.knowledge.first!, toleranceOf(chip, upkeep));

/**
 * Whether writing tiles anew is expected to help: a chip written so is expected to be as this one was a day to a month after
 * its last write. Where that was not seen, or verified writes would last but it had none, it is expected to be as when new,
 * and half the excess is worth it.
 */
export const wouldHelp = (chip: LivingChip, answers: Answers | undefined, upkeep: Upkeep): boolean => {
  if (answers === undefined) return false;
  const tolerance = toleranceOf(chip, upkeep);
  const { settled, first, isTrimmed } = chip.knowledge;
  if (settled !== undefined && (isTrimmed || !verifiedWritesLast(chip.plan.device)))
    return isWorse(answers, settled, tolerance);
  return answers.risk - riskWhen(first!, answers).risk > tolerance / 2;
};

/** Worth of a look: less is better. Both ways to see the risk count, so that a gain in either shows. */
export const badness = (answers: Answers): number =>
  riskOf(answers.margins, answers.noise).risk + (answers.direct?.risk ?? 0);

/** The risk of the same answers with the noise of an earlier look. */
export const riskWhen = (seen: Seen, { margins, inputMargins, risk, direct }: Answers): Risk =>
  riskOf(direct?.risk === risk ? inputMargins : margins, seen.noise, seen.inputs);

/**
 * By margins of the stream: beyond half of what both may err. By the inputs themselves: beyond what both may err, beside what
 * the noise of the earlier look gives for the same inputs, as other inputs may be closer to call.
 */
const isWorse = (answers: Answers, seen: Seen, tolerance: number): boolean => {
  const now = riskOf(answers.margins, answers.noise, answers.inputs);
  const then = riskOf(answers.margins, seen.noise, seen.inputs);
  if (now.risk - then.risk > tolerance + Math.hypot(now.riskError, then.riskError) / 2) return true;
  if (answers.direct === undefined) return false;
  const expected = riskOf(answers.inputMargins, seen.noise, seen.inputs);
  return answers.direct.risk - expected.risk > tolerance + Math.hypot(answers.direct.riskError, expected.riskError);
};
