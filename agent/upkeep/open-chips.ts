import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import type { UpkeepStep } from "../store/chip-record.ts";
import type { Emit } from "../telemetry/events.ts";
import { ChipBank } from "./chip-bank.ts";
import type { ChipHealth } from "./health.ts";
import type { FeedbackSource } from "./labelled.ts";

/** The memory of the chips of a configuration. */
export const chipsFileOf = ({ state }: Config): string => join(state.directory, "chips.sqlite");

/** What the chips need of a running agent. */
export interface ChipSurroundings {
  readonly emit: Emit;
  /** Whether nothing waits to be classified. */
  readonly hasRoom: () => boolean;
  /** What people said of anomalies. */
  readonly feedback: FeedbackSource;
  /** Tells those who listen, and keeps what was told last. */
  readonly publish: (topic: string, payload: string) => void;
}

/** The chips of an agent. What was last done to each stays on `{base}/chip/{model}`. */
export const openChips = (config: Config, { emit, hasRoom, feedback, publish }: ChipSurroundings): ChipBank =>
  new ChipBank({
    ...{ file: chipsFileOf(config), chip: config.chip, emit, hasRoom, feedback },
    time: { wallMs: () => Date.now(), steadyMs: () => performance.now() },
    onStep: (health, step) => publish(`${config.mqtt.base}/chip/${health.model}`, chipJson(health, step)),
  });

/** A chip and the last step, as it is published. */
const chipJson = (health: ChipHealth, { wallMs, ...step }: UpkeepStep): string =>
  JSON.stringify({ ...health, step: { ...step, at: new Date(wallMs).toISOString() } });
