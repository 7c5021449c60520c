import { spawn, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { vi } from "vitest";
import { emulatorOf } from "../../tools/package/binary.ts";
import type { Architecture } from "../../tools/package/node-base.ts";
import type { CliResult } from "./run-cli.ts";

// Minutes, not seconds: a binary is made, compressed, emulated.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const folder = process.env["OHMWATCH_PACKAGED"];

/** Where `npm run package` put what it made; undefined: tests of the package skip. `.ci/run` sets OHMWATCH_PACKAGED. */
export const packaged: string | undefined = folder === undefined ? undefined : resolve(folder);

/** The binary for an architecture. */
export const binaryOf = (architecture: Architecture): string => join(packaged ?? "", `ohmwatch-linux-${architecture}`);

/** The binary of this machine's architecture. */
export const ownBinary: string = binaryOf(process.arch as Architecture);

/** The words that run the binary of the other architecture by emulation. */
export const foreign: Architecture = process.arch === "x64" ? "arm64" : "x64";
export const foreignWords: readonly string[] = [...emulatorOf[foreign], binaryOf(foreign)];

/** Whether a program can be run here. */
export const hasProgram = (name: string, ...args: readonly string[]): boolean =>
  spawnSync(name, args, { stdio: "ignore" }).error === undefined;

/** Run words to their end. @param environment all of it */
export const runWords = (
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  options: { readonly cwd?: string; readonly uid?: number; readonly gid?: number } = {},
): Promise<CliResult> => {
  const child = spawn(words[0]!, words.slice(1), { env: environment, stdio: ["ignore", "pipe", "pipe"], ...options });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => {
    stdout += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    stderr += part.toString();
  });
  return new Promise((done, reject) => {
    child.once("error", reject);
    child.once("close", (code) => done({ code, stdout, stderr }));
  });
};

/** The environment that a plain user's shell gives. */
export const plainEnvironment = (home: string): Readonly<Record<string, string>> => ({
  PATH: "/usr/bin:/bin",
  HOME: home,
  LANG: "C.UTF-8",
});
