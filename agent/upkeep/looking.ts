import type { Config } from "../config/schema.ts";
import type { Answers } from "./answer-noise.ts";
import { isInExcess } from "./judgement.ts";
import type { LivingChip } from "./living-chip.ts";
import { fewInputs, readsOfInput } from "./trial-inputs.ts";

/** So many inferences of the streams pay for one of a look that is merely due. */
const inferencesForOne = 200;

/**
 * Look at a chip whose calibration was merely due, with as many of its inputs as its inferences since the last look pay for,
 * one in 200; with a few in any case whenever its age has doubled, to be paid before the next. Where some of the inputs show
 * too much at risk, it is looked at with all before anything is done.
 *
 * @returns what was seen, with the inferences of both; undefined where no look was paid for
 */
export const lookWhenDue = (chip: LivingChip, upkeep: Config["chip"]["upkeep"]): Answers | undefined => {
  const { paidTo } = chip.knowledge.looks;
  const count = inputsDue(chip);
  if (count === 0) return undefined;
  const some = chip.look(count);
  const isSure = count === chip.trialInputs.length || !isInExcess(chip, some, upkeep);
  const all = isSure ? undefined : chip.look();
  const inferences = (some?.inferences ?? 0) + (all?.inferences ?? 0);
  chip.learn({
    looks: { ...chip.knowledge.looks, paidTo: Math.max(chip.inferences, paidTo + inferencesForOne * inferences) },
  });
  return all ? { ...all, inferences } : some;
};

/** How many inputs a look that is due may take now; 0: there is none to be had. */
const inputsDue = ({ knowledge, inferences, ageSeconds, trialInputs }: LivingChip): number => {
  const { looks, rewrittenAtSeconds } = knowledge;
  const few = Math.min(fewInputs, trialInputs.length);
  const paid = Math.floor((inferences - looks.paidTo) / (readsOfInput * inferencesForOne));
  if (paid >= few) return Math.min(paid, trialInputs.length);
  const ageThen = Math.max(0, looks.atSeconds - rewrittenAtSeconds);
  return ageSeconds >= 2 * ageThen ? few : 0;
};
