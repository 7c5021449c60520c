import type { Command } from "commander";

/** Settings from the command line. */
export interface SetOption {
  readonly set: readonly string[];
}

/** Give a command `--set key=value`, which may be repeated and wins over the environment and all files. */
export const withSetOption = (command: Command): Command =>
  command.option(
    "--set <key=value>",
    "a setting, e.g. log.level=debug; may be repeated and wins over environment and files",
    (value: string, before: readonly string[]) => [...before, value],
    [],
  );
