import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));

/** What a command left behind. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves with the first match in what it wrote to standard error. */
  stderrMatch(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Start the command line as a user would. */
export const startCli = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli => {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, NO_COLOR: "1", ...environment } });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (part: Buffer) => {
    stdout += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    stderr += part.toString();
    for (const check of waiting) check();
  });
  const result = new Promise<CliResult>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  return {
    child,
    result,
    stderrMatch: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const match = pattern.exec(stderr);
          if (match === null) return;
          waiting.delete(check);
          resolve(match);
        };
        waiting.add(check);
        check();
        void result.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern}: ${stderr}`)));
      }),
  };
};

/** Run the command line to its end. */
export const runCli = (...args: readonly string[]): Promise<CliResult> => startCli(args).result;
