import { Command } from "commander";
import { version } from "../version.ts";

/** Each command with the module that has it. A module is loaded when it is called, since most need far more than others. */
const commands: Readonly<Record<string, () => Promise<() => Command>>> = {
  demo: async () => (await import("./demo.ts")).demoCommand,
  run: async () => (await import("./run.ts")).runCommand,
  classify: async () => (await import("./classify.ts")).classifyCommand,
  eval: async () => (await import("./eval.ts")).evalCommand,
  "false-alarms": async () => (await import("./false-alarms.ts")).falseAlarmsCommand,
  train: async () => (await import("./train.ts")).trainCommand,
  import: async () => (await import("./import.ts")).importCommand,
  inspect: async () => (await import("./inspect.ts")).inspectCommand,
  trace: async () => (await import("./trace.ts")).traceCommand,
  replay: async () => (await import("./replay.ts")).replayCommand,
  lifetime: async () => (await import("./lifetime.ts")).lifetimeCommand,
  chip: async () => (await import("./chip.ts")).chipCommand,
  calibrate: async () => (await import("./calibrate.ts")).calibrateCommand,
  anomalies: async () => (await import("./anomalies.ts")).anomaliesCommand,
  config: async () => (await import("./config.ts")).configCommand,
  bundle: async () => (await import("./bundle.ts")).bundleCommand,
  tap: async () => (await import("./tap.ts")).tapCommand,
  "support-dump": async () => (await import("./support-dump.ts")).supportDumpCommand,
  healthcheck: async () => (await import("./healthcheck.ts")).healthcheckCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  "self-test": async () => (await import("./self-test.ts")).selfTestCommand,
};

/**
 * The command line.
 * @param called the first word that was typed; where it is no command, all are there for help and suggestions
 */
export const program = async (called: string | undefined): Promise<Command> => {
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
