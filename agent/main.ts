import { CommanderError } from "commander";
import { ExitError, exitCodeOf, exitCodes } from "./cli/exit.ts";
import { program } from "./cli/program.ts";

const main = async (): Promise<void> => {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major < 22 || (major === 22 && minor < 12)) {
    throw new ExitError(`node: expected version ≥ 22.12, got ${process.version}`, exitCodes.failed);
  }
  await (await program(process.argv[2])).parseAsync();
};

const codeOf = (error: unknown): number => {
  if (!(error instanceof CommanderError)) return exitCodeOf(error);
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
};

/** Foreseen errors are their sentence; a defect of ours also shows where it is. */
const report = (error: unknown, code: number): void => {
  const foreseen = code !== exitCodes.internal && error instanceof Error;
  process.stderr.write(`${foreseen ? error.message : ((error as Error)?.stack ?? String(error))}\n`);
};

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

// No `await` here: the single binary holds this file as CommonJS.
void main().catch((error: unknown) => {
  process.exitCode = codeOf(error);
  if (!(error instanceof CommanderError)) report(error, process.exitCode);
});
