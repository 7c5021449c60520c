import { programBytes } from "./program-files.ts";

/** Version of the program, as in its `package.json`. */
export const version = (): string =>
  (JSON.parse(programBytes("package.json").toString("utf8")) as { version: string }).version;
