import type { Manifest } from "../../models/manifest.ts";
import type { DigitalNetwork } from "../../models/network/digital.ts";
import { type CareSettings, type CareStep, lookAfter, whyNow } from "../upkeep/care.ts";
import { type ChipPlan, LivingChip } from "../upkeep/living-chip.ts";
import { inputsKeptOf } from "../upkeep/trial-inputs.ts";
import type { Task } from "./figures.ts";

/** What upkeep sees of a stream. */
export interface StreamSample {
  readonly inputs: readonly Float32Array[];
  readonly margins: readonly number[];
  /** One a hop of the model's window, 1.2 for beats, one for pictures. */
  readonly inferencesPerSecond: number;
}

/** A chip at one moment of its life. */
export interface LifeRow {
  readonly ageSeconds: number;
  /** The first figure of the task: accuracy or F1. */
  readonly figure: number;
  readonly risk: number | undefined;
}

/** A life of a chip, and what its upkeep took. */
export interface Life {
  readonly rows: readonly LifeRow[];
  /** Steps by kind. */
  readonly steps: Readonly<Record<string, number>>;
  readonly reads: number;
  readonly pulses: number;
  readonly joules: number;
  /** Pulses that the device with most has had. */
  readonly mostPulses: number;
  /** Energy of one inference, J. */
  readonly inferenceJoules: number;
}

const marginsKept = 512;

/**
 * What the digital network meets in a task: evenly, inputs and margins of answers. Of a forecaster, which carries its state
 * from row to row, rows that follow each other in the middle, and no margins, as its answers have none.
 */
export const streamSample = (manifest: Manifest, task: Task, twin: DigitalNetwork): StreamSample => {
  const all: Float32Array[] = [];
  const margins: number[] = [];
  const noise = () => undefined;
  const doubt = { policy: "mark" as const, sigmas: 0, reads: 2, twin, noise, mayAnswer: () => true };
  let asked = 0;
  const inputsKept = inputsKeptOf(twin);
  const isForecaster = manifest.task === "forecaster";
  const every = isForecaster ? 1 : Math.max(1, Math.floor(task.samples / inputsKept));
  const from = isForecaster ? Math.floor(task.samples / 2) : 0;
  const watched = {
    inputShape: twin.inputShape,
    outputShape: twin.outputShape,
    infer: (input: Float32Array, output: Float32Array) => {
      if (asked++ >= from && asked % every === 0 && all.length < inputsKept) all.push(input.slice());
      twin.infer(input, output);
    },
    ...(twin.states && { states: twin.states }),
  };
  task.score(watched, { ...doubt, onMargin: (margin) => Number.isFinite(margin) && margins.push(margin) });
  if (margins.length === 0 && !isForecaster) {
    throw new RangeError(`${manifest.name}: expected answers with margins, got none`);
  }
  const step = Math.max(1, Math.floor(margins.length / marginsKept));
  return {
    inputs: all,
    margins: margins.filter((_, i) => i % step === 0).slice(0, marginsKept),
    inferencesPerSecond: inferencesPerSecond(manifest),
  };
};

const inferencesPerSecond = ({ modality, input }: Manifest): number => {
  if (modality === "ecg") return 1.2;
  return modality === "image" ? 1 : input.sampleRateHz / input.hopSamples;
};

/**
 * Let a new chip live to an age with a policy, and measure it at some ages on the way. Time goes in steps of a twentieth
 * of the age or of the time between calibrations, whichever is less; whatever is due is done.
 *
 * @param agesSeconds to measure at, ascending, the last one the end
 */
export const liveThrough = (
  plan: ChipPlan,
  task: Task,
  sample: StreamSample,
  settings: CareSettings,
  agesSeconds: readonly number[],
  onRow: () => void = () => {},
): Life => {
  const chip = new LivingChip(plan, 0);
  chip.remember(sample.inputs, sample.margins);
  const steps: CareStep[] = [];
  const rows: LifeRow[] = [];
  const care = (atSeconds: number): void => {
    chip.liveTo(atSeconds);
    chip.remember([], [], Math.floor(atSeconds * sample.inferencesPerSecond));
    const why = whyNow(chip, settings);
    if (why !== undefined) steps.push(...lookAfter(chip, settings, why, "due"));
  };
  let now = 0;
  for (const age of agesSeconds) {
    while (now < age) {
      care(now);
      now = Math.min(age, now + Math.max(30, Math.min(now / 20, settings.upkeep.everySeconds)));
    }
    care(age);
    rows.push({
      ageSeconds: age,
      figure: Object.values(task.score(chip.network).numbers)[0]!,
      risk: chip.knowledge.risk,
    });
    onRow();
  }
  const sum = (of: (step: CareStep) => number): number => steps.reduce((all, step) => all + of(step), 0);
  const kinds: Record<string, number> = {};
  for (const { kind } of steps) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    rows,
    steps: kinds,
    reads: sum((step) => step.reads),
    pulses: sum((step) => step.pulses),
    joules: sum((step) => step.joules),
    mostPulses: chip.wear().pulses.most,
    inferenceJoules: chip.costs.inference.joules,
  };
};
