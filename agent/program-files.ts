import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * A file or folder that comes with the program, by its path from the project's root. `npm run build` lays out `dist/`
 * as the project is, so that the bundle finds the same.
 */
export const programFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Version of the program, as in its `package.json`. */
export const version = (): string =>
  (JSON.parse(readFileSync(programFile("package.json"), "utf8")) as { version: string }).version;
