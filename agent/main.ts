import { Command, CommanderError } from "commander";
import { ExitError, exitCodeOf, exitCodes } from "./cli/exit.ts";
import { version } from "./version.ts";

/** Each command with the module that has it. A module is loaded when it is called, since most need far more than others. */
const commands: Readonly<Record<string, () => Promise<() => Command>>> = {
  demo: async () => (await import("./cli/demo.ts")).demoCommand,
  run: async () => (await import("./cli/run.ts")).runCommand,
  classify: async () => (await import("./cli/classify.ts")).classifyCommand,
  eval: async () => (await import("./cli/eval.ts")).evalCommand,
  train: async () => (await import("./cli/train.ts")).trainCommand,
  inspect: async () => (await import("./cli/inspect.ts")).inspectCommand,
  trace: async () => (await import("./cli/trace.ts")).traceCommand,
  replay: async () => (await import("./cli/replay.ts")).replayCommand,
  anomalies: async () => (await import("./cli/anomalies.ts")).anomaliesCommand,
  config: async () => (await import("./cli/config.ts")).configCommand,
  healthcheck: async () => (await import("./cli/healthcheck.ts")).healthcheckCommand,
  doctor: async () => (await import("./cli/doctor.ts")).doctorCommand,
  "self-test": async () => (await import("./cli/self-test.ts")).selfTestCommand,
};

const main = async (): Promise<void> => {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major < 22 || (major === 22 && minor < 12)) {
    throw new ExitError(`node: expected version ≥ 22.12, got ${process.version}`, exitCodes.failed);
  }
  await (await program(process.argv[2])).parseAsync();
};

/** @param called the first word on the command line; where it is no command, all are there for help and suggestions */
const program = async (called: string | undefined): Promise<Command> => {
  const root = new Command("ohmwatch")
    .description(
      "Streams from MQTT through neural networks on a simulated memristive crossbar; anomalies in a database.",
    )
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
  const isVersion = called === "--version" || called === "-V";
  const one = called !== undefined && Object.hasOwn(commands, called) ? [commands[called]!] : undefined;
  for (const load of isVersion ? [] : (one ?? Object.values(commands))) {
    const make = await load();
    root.addCommand(make().showSuggestionAfterError().showHelpAfterError("(--help shows the options)"));
  }
  for (const command of [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride();
  }
  return root;
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
