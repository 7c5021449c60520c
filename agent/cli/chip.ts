import { Command } from "commander";
import { withUnit } from "../inspection/units.ts";
import { percent } from "../percent.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import { attachChipStore, type ChipStore } from "../store/chip-store.ts";
import { duration } from "../upkeep/duration.ts";
import { type ChipHealth, healthOfStored } from "../upkeep/health.ts";
import type { Knowledge } from "../upkeep/living-chip.ts";
import { askAgent } from "./ask-agent.ts";
import { chipsFileIn } from "./chips-file.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, numberIn } from "./options.ts";

interface ChipViewOptions {
  readonly state: string;
  readonly steps: number;
  readonly forget?: string;
  readonly wait: number;
  readonly json?: boolean;
}

/** `chip`: how the chips are, and what was done to them. */
export const chipCommand = (): Command =>
  new Command("chip")
    .description("state of the chips that an agent keeps, and what upkeep did to them")
    .option("--state <dir>", "folder of the agent's state", "ohmwatch-state")
    .option("--steps <n>", "of each chip the last so many steps", integerIn(0, 1_000_000), 5)
    .option("--json", "one JSON object a chip")
    .option("--forget <model>", "let its chip be as it was trained: what was learned from labels is written back")
    .option("--wait <s>", "how long to wait for the agent to do so", numberIn(0, 3600), 10)
    .addHelpText(
      "after",
      `
Examples:
  ohmwatch chip --state /var/lib/ohmwatch --steps 20
  ohmwatch chip --state /var/lib/ohmwatch --forget bearing-faults`,
    )
    .action((options: ChipViewOptions) =>
      options.forget === undefined ? show(options) : letForget(options.forget, options),
    );

/** Let the chip of a model be as it was trained, in the agent that runs. */
const letForget = async (model: string, { state, wait }: ChipViewOptions): Promise<void> => {
  const store = attachChipStore<Knowledge>(chipsFileIn(state));
  try {
    const chips = store.chips();
    const mine = chips.filter((chip) => chip.model === model);
    if (mine.length === 0) {
      const expected = `a model with a chip in ${state} (${chips.map((chip) => chip.model).join(", ") || "none has"})`;
      throw new ExitError(`--forget: expected ${expected}, got ${model}`, exitCodes.failed);
    }
    const isTrained = () => mine.every(({ key }) => store.load(key)?.knowledge.learned?.weights === undefined);
    if (isTrained()) {
      return void process.stderr.write(`${model}: the chip is as it was trained.\n`);
    }
    if (await askAgent(store, { what: "forget", model }, wait, isTrained)) {
      return void process.stderr.write(`${model}: the chip is as it was trained again.\n`);
    }
    throw new ExitError(`${state}: expected an agent that runs, got no answer in ${wait} s`, exitCodes.failed);
  } finally {
    store.close();
  }
};

const show = ({ state, steps: limit, json }: ChipViewOptions): void => {
  const store = attachChipStore<Knowledge>(chipsFileIn(state));
  try {
    for (const { key, model, inference } of store.chips()) {
      const health = healthOfStored(model, store.load(key)!);
      const steps = store.steps(key, limit);
      const text = json ? jsonOf(store, key, health, inference, steps) : textOf(health, inference, steps);
      process.stdout.write(`${text}\n`);
    }
  } finally {
    store.close();
  }
};

const jsonOf = (
  store: ChipStore<Knowledge>,
  key: string,
  health: ChipHealth,
  inferences: number,
  steps: readonly UpkeepStep[],
): string => JSON.stringify({ key, ...health, inferences, totals: store.totals(key), steps: steps.map(stepJson) });

const stepJson = ({ wallMs, ...step }: UpkeepStep) => ({ at: new Date(wallMs).toISOString(), ...step });

const textOf = (health: ChipHealth, inferences: number, steps: readonly UpkeepStep[]): string => {
  const { model, device, seed, ageSeconds, chipSeconds, sinceCalibrationSeconds, compensation, alpha, noise } = health;
  const { risk, riskError, stuckDevices, devices, pulses, celsius, celsiusFrom, mayAnswer } = health;
  const temperature = `${Number(celsius.toFixed(1))} °C${celsiusFrom === "constant" ? "" : ` by ${celsiusFrom}`}`;
  const calibrated =
    sinceCalibrationSeconds === undefined ? "never calibrated" : `calibrated ${duration(sinceCalibrationSeconds)} ago`;
  const answers =
    risk === undefined
      ? "not compared with the digital network yet"
      : `${percent(risk, 2)} ± ${percent(riskError ?? 0, 2)} would differ from the digital network's`;
  const rows = [
    `${model} on ${device}, seed ${seed}${mayAnswer ? "" : "; it must not answer"}`,
    `  time      ${duration(chipSeconds)} since it was programmed, ${duration(ageSeconds)} since tiles were last written, ${temperature}`,
    `  drift     ${calibrated} (${compensation}), α ${alpha.min.toFixed(3)} … ${alpha.mean.toFixed(3)} … ${alpha.max.toFixed(3)}`,
    `  answers   ${inferences} so far; ${answers}`,
    noise
      ? `  noise     ${noise.lasting.toFixed(3)} lasting, ${noise.read.toFixed(3)} a read, in ln of the ratio that decides`
      : "",
    health.hasLearned ? "  learned   its last layer is another than it was trained to (`--forget`)" : "",
    `  devices   ${devices}, ${stuckDevices} stuck; ${pulses.mean.toFixed(2)} pulses each, ${pulses.most} at most`,
    health.spares.tiles > 0 ? `  spares    ${sparesText(health)}` : "",
    ...steps.map(stepText),
  ];
  return rows.filter((row) => row !== "").join("\n");
};

const sparesText = ({ spares: { tiles, inUse, spent } }: ChipHealth): string => {
  const moved = inUse.map(({ array, tile, spare }) => `${array}, tile ${tile} on spare ${spare}`);
  return [
    `${inUse.length} of ${tiles} spare tiles in use${moved.length > 0 ? ` (${moved.join("; ")})` : ""}`,
    ...(spent.length > 0 ? [`${spent.length} tried and no better`] : []),
  ].join(", ");
};

const stepText = ({ atSeconds, kind, why, reads, pulses, joules }: UpkeepStep): string =>
  `  ${duration(atSeconds).padStart(11)} ${kind.padEnd(9)} ${reads} reads, ${pulses} pulses, ${withUnit(joules, "J")}. ${why}`;
