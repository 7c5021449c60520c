import { Command, CommanderError } from "commander";
import { anomaliesCommand } from "./cli/anomalies.ts";
import { classifyCommand } from "./cli/classify.ts";
import { configCommand } from "./cli/config.ts";
import { demoCommand } from "./cli/demo.ts";
import { doctorCommand } from "./cli/doctor.ts";
import { evalCommand } from "./cli/eval.ts";
import { ExitError, exitCodeOf, exitCodes } from "./cli/exit.ts";
import { inspectCommand } from "./cli/inspect.ts";
import { replayCommand } from "./cli/replay.ts";
import { runCommand } from "./cli/run.ts";
import { traceCommand } from "./cli/trace.ts";
import { trainCommand } from "./cli/train.ts";
import { version } from "./program-files.ts";

const program = new Command("ohmwatch")
  .description("Streams from MQTT through neural networks on a simulated memristive crossbar; anomalies in a database.")
  .version(version())
  .showSuggestionAfterError()
  .showHelpAfterError("(--help shows the options)")
  .addHelpText(
    "after",
    `
Examples:
  ohmwatch demo --seconds 30
  ohmwatch run --config hall.yaml
  ohmwatch classify --model ecg-beats record.hea`,
  );

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

for (const make of [
  demoCommand,
  runCommand,
  classifyCommand,
  evalCommand,
  trainCommand,
  inspectCommand,
  traceCommand,
  replayCommand,
  anomaliesCommand,
  configCommand,
  doctorCommand,
]) {
  program.addCommand(make().showSuggestionAfterError().showHelpAfterError("(--help shows the options)"));
}
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride();
}

try {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major < 22 || (major === 22 && minor < 12)) {
    throw new ExitError(`node: expected version ≥ 22.12, got ${process.version}`, exitCodes.failed);
  }
  await program.parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
  if (!(error instanceof CommanderError)) report(error, process.exitCode);
}

function codeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return exitCodeOf(error);
  return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}

/** Foreseen errors are their sentence; a defect of ours also shows where it is. */
function report(error: unknown, code: number): void {
  const foreseen = code !== exitCodes.internal && error instanceof Error;
  process.stderr.write(`${foreseen ? error.message : ((error as Error)?.stack ?? String(error))}\n`);
}
