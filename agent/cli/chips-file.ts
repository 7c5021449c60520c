import { existsSync } from "node:fs";
import { join } from "node:path";
import { ExitError, exitCodes } from "./exit.ts";

/** The memory of the chips below a state folder. @throws ExitError 66 where there is none */
export const chipsFileIn = (state: string): string => {
  const file = join(state, "chips.sqlite");
  if (existsSync(file)) return file;
  throw new ExitError(
    `${file}: expected the memory of chips, which \`run\` makes, got no such file`,
    exitCodes.noInput,
  );
};
