import { type ChipPlan, LivingChip } from "../upkeep/living-chip.ts";
import { selfTest } from "../upkeep/rewriting.ts";
import type { Task } from "./figures.ts";

/** What stuck devices take from a chip, and what self-test gives back. */
export interface StuckReport {
  /** Stuck devices of all, and those that are off by a tenth of the range or more from what their weight asks for. */
  readonly stuck: number;
  readonly matter: number;
  /** Of those that matter, which part self-test found; and how many it blamed that are not stuck. */
  readonly found: number;
  readonly blamed: number;
  /** The first figure of the task without faults, with them, and with them after self-test. */
  readonly whole: number;
  readonly broken: number;
  readonly mended: number;
}

/** Program a chip with devices stuck at random, half of them low, half high, and self-test it. */
export const stuckReport = (plan: ChipPlan, task: Task, rate: number): StuckReport => {
  const figure = (chip: LivingChip): number => Object.values(task.score(chip.network).numbers)[0]!;
  const whole = figure(new LivingChip(plan, 0));
  const chip = new LivingChip({ ...plan, faults: { stuckLow: rate / 2, stuckHigh: rate / 2 } }, 0);
  const broken = figure(chip);
  const { gMinSiemens, gMaxSiemens } = plan.device;
  const truth = chip.tiles.map(({ is }) => {
    const { stuckLow = [], stuckHigh = [] } = is.state("view").faults ?? {};
    const held = new Map([
      ...stuckLow.map((d) => [d, gMinSiemens] as const),
      ...stuckHigh.map((d) => [d, gMaxSiemens] as const),
    ]);
    const wanted = is.targetsSiemens("weights");
    const matter = [...held].filter(([d, g]) => Math.abs(g - wanted[d]!) >= 0.1 * (gMaxSiemens - gMinSiemens));
    return { held, matter: matter.map(([d]) => d) };
  });
  const stuck = selfTest(chip).tested.map((tile) => tile.stuck);
  const found = truth.map(({ matter }, t) => matter.filter((d) => stuck[t]!.includes(d)).length);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const matter = sum(truth.map((tile) => tile.matter.length));
  return {
    stuck: sum(truth.map(({ held }) => held.size)),
    matter,
    found: matter === 0 ? 1 : sum(found) / matter,
    blamed: sum(stuck.map((devices, t) => devices.filter((d) => !truth[t]!.held.has(d)).length)),
    ...{ whole, broken, mended: figure(chip) },
  };
};
