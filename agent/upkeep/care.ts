import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Config } from "../config/schema.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import { type Answers, type Risk, riskOf } from "./answer-noise.ts";
import { addCosts, type Cost, noCost, times } from "./costs.ts";
import { duration } from "./duration.ts";
import type { LivingChip } from "./living-chip.ts";
import { repair, verifyOf } from "./self-test.ts";
import { warmedSince } from "./temperature.ts";

/** What the policy needs to know. */
export type CareSettings = Pick<Config["chip"], "compensation" | "upkeep">;

/** A step without the time of the calendar, which is not known here. */
export type CareStep = Omit<UpkeepStep, "wallMs">;

/** Age growth after which a chip is calibrated anew. */
const growth = 1.1;
/** Below so many seconds of growth not. */
const leastSeconds = 60;
/** In a tile that has drifted further than this, devices written anew would drift away from the others at once. */
const mostAlpha = 1.2;
/** A tile is written as a whole at most so often, s: 30 days. */
const rewriteSeconds = 30 * 86_400;

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
 *   columns      the same for each output by itself
 *   devices      self-test: weights that are far off are written anew, partners make up for stuck devices; not where
 *                drift is great
 *   tiles        the third of the tiles whose weights are furthest off is written anew
 *   chip         all tiles are
 *   refuse       the chip answers no more, until a later look finds it better
 *
 * A chip that is new is self-tested whatever its answers are. Each step is told with what it took and what it gave.
 */
export const lookAfter = (chip: LivingChip, settings: CareSettings, why: string): readonly CareStep[] => {
  const { compensation, upkeep } = settings;
  const steps: CareStep[] = [];
  const isNew = chip.knowledge.calibratedAtSeconds === undefined;
  let answers: Answers | undefined;
  const take = (kind: string, reason: string, step: () => Cost & { readonly pulses?: number }): void => {
    const { risk: riskBefore } = chip.knowledge;
    const { pulses = 0, ...cost } = step();
    answers = chip.look();
    const looked = times(answers?.inferences ?? 0, chip.costs.inference);
    const riskAfter = chip.knowledge.risk;
    const all = addCosts(cost, looked);
    steps.push({ atSeconds: chip.network.atSeconds, kind, why: reason, ...all, pulses, riskBefore, riskAfter });
  };
  const calibrate = (mode: typeof compensation) => (): Cost => {
    chip.calibrate(mode);
    return mode === "none" ? noCost : chip.costs.oneHot;
  };

  if (isNew && upkeep.policy === "full") take("self-test", why, () => selfTest(chip));
  // What was found to be better stays.
  take("calibrate", why, calibrate(isNew || upkeep.policy !== "full" ? compensation : chip.knowledge.compensation));
  if (upkeep.policy !== "full") return steps;

  if (excess(chip, answers, settings) && chip.knowledge.compensation === "global") {
    const before = chip.knowledge.risk ?? 0;
    take("columns", sentence(chip, answers), calibrate("per-column"));
    if ((chip.knowledge.risk ?? 0) > before)
      take("calibrate", "A factor for each column is worse.", calibrate("global"));
  }
  const now = chip.network.atSeconds;
  const canMend = now >= chip.knowledge.devicesAgainAtSeconds && meanAlpha(chip) < mostAlpha;
  if (!isNew && canMend && excess(chip, answers, settings)) {
    const before = chip.knowledge.risk ?? 0;
    take("devices", sentence(chip, answers), () => selfTest(chip));
    const hasHelped = (chip.knowledge.risk ?? 0) < 0.9 * before;
    chip.learn({ devicesAgainAtSeconds: hasHelped ? 0 : now + rewriteSeconds });
  }
  const mayWrite = mayRewrite(chip); // all tiles may follow a third of them at once
  for (const [kind, part] of [
    ["tiles", 1 / 3],
    ["chip", 1],
  ] as const) {
    if (!excess(chip, answers, settings) || !mayWrite || !wouldHelp(chip, answers, settings)) continue;
    take(kind, sentence(chip, answers), () => {
      const cost = rewrite(chip, part);
      chip.calibrate(chip.knowledge.compensation);
      return { ...addCosts(cost, chip.costs.oneHot), pulses: cost.pulses };
    });
  }
  const { risk = 0, riskError = 0, mayAnswer } = chip.knowledge;
  const isTooBad = risk - riskError > upkeep.refuseAbove;
  if (isTooBad && mayAnswer) take("refuse", sentence(chip, answers), () => noCost);
  chip.learn({ mayAnswer: !isTooBad });
  return steps;
};

/** Read every device of the chip, and mend what can be mended. @returns also the stuck devices of each tile */
export const selfTest = (
  chip: LivingChip,
): Cost & { readonly pulses: number; readonly stuck: readonly (readonly number[])[] } => {
  const { device } = chip.plan;
  const moment = Math.round(chip.network.atSeconds * 1000);
  let [cost, written]: [Cost, WriteCount] = [noCost, noWrites];
  const stuck: (readonly number[])[] = [];
  const touched = chip.tiles.filter(({ is }) => {
    const found = repair(is, device, moment);
    const { outputs, inputs } = is.place;
    cost = addCosts(cost, times(found.readings, chip.costs.device(outputs, inputs)));
    written = addWrites(written, found.written);
    stuck.push(found.stuck);
    return found.written.pulses > 0;
  });
  if (touched.length > 0) chip.wrote(touched, "devices");
  const count = stuck.reduce((sum, devices) => sum + devices.length, 0);
  chip.learn({ stuckDevices: Math.max(count, chip.knowledge.stuckDevices) });
  return { ...withWrites(cost, written), stuck };
};

/** Write the tiles anew whose weights are furthest off, a part of them all, and self-test them. */
const rewrite = (chip: LivingChip, part: number): Cost & { readonly pulses: number } => {
  const { device } = chip.plan;
  const moment = Math.round(chip.network.atSeconds * 1000) + 1;
  let [cost, written]: [Cost, WriteCount] = [noCost, noWrites];
  const ranked = chip.tiles
    .map((tile) => ({ tile, off: part < 1 ? relativeError(tile.is, moment) : 0 }))
    .sort((a, b) => b.off - a.off)
    .slice(0, Math.ceil(part * chip.tiles.length))
    .map(({ tile }) => tile);
  if (part < 1) cost = chip.costs.oneHot;
  for (const { is } of ranked) {
    written = addWrites(written, is.rewrite("all", verifyOf(device), is.targetsSiemens("weights")));
    const found = repair(is, device, moment);
    cost = addCosts(cost, times(found.readings, chip.costs.device(is.place.outputs, is.place.inputs)));
    written = addWrites(written, found.written);
  }
  chip.wrote(ranked, "tiles");
  return withWrites(cost, written);
};

/** Root mean square of what the weights of a tile are off by, as a part of the weights', by one-hot reads. */
const relativeError = (tile: LivingChip["tiles"][number]["is"], moment: number): number => {
  const { alpha, place } = tile;
  const read = tile.readWeights(moment);
  const wanted = tile.targetsSiemens("weights");
  // In units of the wanted weights, which the readings have too but for one factor.
  let [square, product, errors] = [0, 0, 0];
  const pairs = Array.from({ length: place.outputs }, (_, o) => tile.columnOf(o).devices).flatMap((devices, o) =>
    Array.from({ length: place.inputs }, (_, i) => {
      const plus = devices[2 * i]!;
      return [alpha[o]! * read[o * place.inputs + i]!, wanted[plus]! - wanted[plus + 1]!] as const;
    }),
  );
  for (const [is, should] of pairs) {
    square += should ** 2;
    product += is * should;
  }
  const unit = square > 0 && product > 0 ? product / square : 1;
  for (const [is, should] of pairs) errors += (is / unit - should) ** 2;
  return square > 0 ? Math.sqrt(errors / square) : 0;
};

const withWrites = (cost: Cost, { pulses, seconds, joules }: WriteCount): Cost & { readonly pulses: number } => ({
  ...addCosts(cost, { reads: 0, seconds, joules }),
  pulses,
});

/** Whether more answers are at risk than the tolerance allows beside a new chip, beyond what the estimate may err. */
const excess = (chip: LivingChip, answers: Answers | undefined, { upkeep }: CareSettings): boolean => {
  if (answers === undefined) return false;
  const first = whenNew(chip, answers);
  return answers.risk - first.risk > upkeep.tolerance + Math.hypot(answers.riskError, first.riskError) / 2;
};

/** The risk of the same inputs on the chip when it was new. */
const whenNew = (chip: LivingChip, { margins }: Answers): Risk => riskOf(margins, chip.knowledge.firstNoise!);

/** A chip written anew is expected to be as it was when new: worth it where that takes back half of the excess or more. */
const wouldHelp = (chip: LivingChip, answers: Answers | undefined, { upkeep }: CareSettings): boolean =>
  answers !== undefined && answers.risk - whenNew(chip, answers).risk > upkeep.tolerance / 2;

const meanAlpha = (chip: LivingChip): number => {
  const alphas = chip.tiles.flatMap(({ is }) => [...is.alpha]);
  return alphas.reduce((a, b) => a + b, 0) / alphas.length;
};

const mayRewrite = (chip: LivingChip): boolean => {
  const { rewrittenAtSeconds } = chip.knowledge;
  return rewrittenAtSeconds === 0 || chip.network.atSeconds - rewrittenAtSeconds >= rewriteSeconds;
};

const sentence = (chip: LivingChip, answers: Answers | undefined): string => {
  if (answers === undefined) return "";
  const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
  return `${percent(answers.risk)} ± ${percent(answers.riskError)} of the answers would differ from the digital network's, ${percent(whenNew(chip, answers).risk)} when new.`;
};
