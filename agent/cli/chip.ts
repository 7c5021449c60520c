import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { withUnit } from "../inspection/units.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import { attachChipStore, type ChipStore } from "../store/chip-store.ts";
import { duration } from "../upkeep/duration.ts";
import { type ChipHealth, healthOfStored } from "../upkeep/health.ts";
import type { Knowledge } from "../upkeep/living-chip.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn } from "./options.ts";

interface ChipViewOptions {
  readonly state: string;
  readonly steps: number;
  readonly json?: boolean;
}

/** `chip`: how the chips are, and what was done to them. */
export const chipCommand = (): Command =>
  new Command("chip")
    .description("state of the chips that an agent keeps, and what upkeep did to them")
    .option("--state <dir>", "folder of the agent's state", "ohmwatch-state")
    .option("--steps <n>", "of each chip the last so many steps", integerIn(0, 1_000_000), 5)
    .option("--json", "one JSON object a chip")
    .addHelpText("after", "\nExample:\n  ohmwatch chip --state /var/lib/ohmwatch --steps 20")
    .action((options: ChipViewOptions) => show(options));

/** The memory of the chips below a state folder. @throws ExitError 66 where there is none */
export const chipsFileIn = (state: string): string => {
  const file = join(state, "chips.sqlite");
  if (existsSync(file)) return file;
  throw new ExitError(
    `${file}: expected the memory of chips, which \`run\` makes, got no such file`,
    exitCodes.noInput,
  );
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
  const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
  const calibrated =
    sinceCalibrationSeconds === undefined ? "never calibrated" : `calibrated ${duration(sinceCalibrationSeconds)} ago`;
  const answers =
    risk === undefined
      ? "not compared with the digital network yet"
      : `${percent(risk)} ± ${percent(riskError ?? 0)} would differ from the digital network's`;
  const rows = [
    `${model} on ${device}, seed ${seed}${mayAnswer ? "" : "; it must not answer"}`,
    `  time      ${duration(chipSeconds)} since it was programmed, ${duration(ageSeconds)} since tiles were last written, ${temperature}`,
    `  drift     ${calibrated} (${compensation}), α ${alpha.min.toFixed(3)} … ${alpha.mean.toFixed(3)} … ${alpha.max.toFixed(3)}`,
    `  answers   ${inferences} so far; ${answers}`,
    noise
      ? `  noise     ${noise.lasting.toFixed(3)} lasting, ${noise.read.toFixed(3)} a read, in ln of the ratio that decides`
      : "",
    `  devices   ${devices}, ${stuckDevices} stuck; ${pulses.mean.toFixed(2)} pulses each, ${pulses.most} at most`,
    ...steps.map(stepText),
  ];
  return rows.filter((row) => row !== "").join("\n");
};

const stepText = ({ atSeconds, kind, why, reads, pulses, joules }: UpkeepStep): string =>
  `  ${duration(atSeconds).padStart(11)} ${kind.padEnd(9)} ${reads} reads, ${pulses} pulses, ${withUnit(joules, "J")}. ${why}`;
