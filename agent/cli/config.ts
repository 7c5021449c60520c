import { Command } from "commander";
import { exampleConfig } from "../config/example.ts";
import { loadConfig } from "../config/load.ts";
import { jsonSchema } from "../config/schema.ts";
import { knownNames } from "../known-names.ts";

/** `config check|schema|example`: the settings. */
export const configCommand = (): Command => {
  const command = new Command("config").description("check a configuration, or show its schema or an example");
  command
    .command("check")
    .description("report every mistake with file, line, key, what was expected and what was got")
    .argument("<file>", "configuration file")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch config check /etc/ohmwatch/ohmwatch.yaml\n\nExit code 78 on a mistake.",
    )
    .action((file: string) => {
      const { streams } = loadConfig(file, knownNames());
      process.stderr.write(`${file}: no mistake, ${streams.length} stream${streams.length === 1 ? "" : "s"}\n`);
    });
  command
    .command("schema")
    .description("the JSON Schema of the configuration, for editors")
    .addHelpText("after", "\nExample:\n  ohmwatch config schema > ohmwatch.schema.json")
    .action(() => void process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`));
  command
    .command("example")
    .description("a configuration that works, with every setting explained")
    .addHelpText("after", "\nExample:\n  ohmwatch config example > ohmwatch.yaml")
    .action(() => void process.stdout.write(exampleConfig()));
  return command;
};
