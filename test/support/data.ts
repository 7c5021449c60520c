import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const beside = fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Folder of the real recordings, or undefined where this machine has none: such tests skip and say so. */
export const dataDir: string | undefined = process.env["OHMWATCH_DATA"] ?? (existsSync(beside) ? beside : undefined);

/** Folder of the reference numbers made by other simulators, or undefined. */
export const oracleDir: string | undefined = (() => {
  const folder = fileURLToPath(new URL("../../../shared/oracles", import.meta.url));
  return existsSync(folder) ? folder : undefined;
})();
