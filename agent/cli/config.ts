import { Command } from "commander";
import { editorSchema } from "../config/editor-schema.ts";
import { exampleConfig } from "../config/example.ts";
import { loadConfig } from "../config/load.ts";
import { settingsPage } from "../config/settings-page.ts";
import { processVariables } from "../config/variables.ts";
import { knownNames } from "../known-names.ts";
import { type PipelineTestResult, runPipelineTests } from "../pipeline-tests.ts";
import { exitCodes } from "./exit.ts";
import { type SetOption, withSetOption } from "./set-option.ts";

/** `config check|test|schema|example|docs`: the settings. */
export const configCommand = (): Command => {
  const command = new Command("config").description("check or test a configuration, or show its schema or an example");
  withSetOption(command.command("check"))
    .description("report every mistake with file, line, key, what was expected and what was got")
    .argument("<file>", "configuration file")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch config check /etc/ohmwatch/ohmwatch.yaml\n\nExit code 78 on a mistake.",
    )
    .action((file: string, { set }: SetOption) => {
      const { streams } = loadConfig(file, knownNames(), { ...processVariables, flags: set });
      process.stderr.write(`${file}: no mistake, ${streams.length} stream${streams.length === 1 ? "" : "s"}\n`);
    });
  withSetOption(command.command("test"))
    .description("run the tests of a configuration: recordings, and the anomalies that must come of them")
    .argument("<file>", "configuration file")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Example:
  ohmwatch config test hall.yaml

In the configuration:
  tests:
    - name: an inner race that breaks
      stream: bearing
      input: recordings/bearing.wav
      expect: [{ kind: inner-race, fromSeconds: 20 }]

Exit code 1 when a test fails.`,
    )
    .action(async (file: string, { set, json }: SetOption & { json?: boolean }) => {
      const config = loadConfig(file, knownNames(), { ...processVariables, flags: set });
      const results: PipelineTestResult[] = [];
      for await (const result of runPipelineTests(config, file)) {
        results.push(result);
        if (!json) process.stdout.write(textOf(result));
      }
      const failed = results.filter(({ ok }) => !ok).length;
      if (json) process.stdout.write(`${JSON.stringify({ ok: failed === 0, tests: results })}\n`);
      else process.stderr.write(`${results.length - failed} of ${results.length} tests hold\n`);
      if (failed > 0) process.exitCode = exitCodes.failed;
    });
  command
    .command("schema")
    .description("the JSON Schema of the configuration, for editors")
    .addHelpText("after", "\nExample:\n  ohmwatch config schema > ohmwatch.schema.json")
    .action(() => void process.stdout.write(`${JSON.stringify(editorSchema(knownNames()), null, 2)}\n`));
  command
    .command("example")
    .description("a configuration that works, with every setting explained")
    .addHelpText("after", "\nExample:\n  ohmwatch config example > ohmwatch.yaml")
    .action(() => void process.stdout.write(exampleConfig()));
  command
    .command("docs")
    .description("a page of all settings, as Markdown")
    .addHelpText("after", "\nExample:\n  ohmwatch config docs > docs/settings.md")
    .action(() => void process.stdout.write(settingsPage()));
  return command;
};

const textOf = ({ name, ok, differences }: PipelineTestResult): string =>
  [`${ok ? "ok  " : "FAIL"} ${name}`, ...differences.map((difference) => `     ${difference}`), ""].join("\n");
