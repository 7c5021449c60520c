import { Command } from "commander";
import { attachChipStore } from "../store/chip-store.ts";
import type { Knowledge } from "../upkeep/living-chip.ts";
import { askAgent } from "./ask-agent.ts";
import { chipsFileIn } from "./chips-file.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { numberIn } from "./options.ts";

/** `calibrate`: now, in the agent that runs. */
export const calibrateCommand = (): Command =>
  new Command("calibrate")
    .description("ask the agent that runs to look after its chips now")
    .option("--state <dir>", "folder of the agent's state", "ohmwatch-state")
    .option("--wait <s>", "how long to wait for it", numberIn(0, 3600), 10)
    .addHelpText("after", "\nExample:\n  ohmwatch calibrate --state /var/lib/ohmwatch")
    .action(async ({ state, wait }: { state: string; wait: number }) => {
      const store = attachChipStore<Knowledge>(chipsFileIn(state));
      try {
        if (await askAgent(store, { what: "care" }, wait))
          return void process.stderr.write("The chips were looked after.\n");
        throw new ExitError(
          `${state}: expected an agent that runs, got no answer in ${wait} s; a chip is calibrated at each start, too, where that is due`,
          exitCodes.failed,
        );
      } finally {
        store.close();
      }
    });
