import { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { agentAt } from "../http/client.ts";
import { knownNames } from "../known-names.ts";
import { ExitError, exitCodes } from "./exit.ts";

/** `healthcheck`: ask the agent that runs with a configuration how it is. */
export const healthcheckCommand = (): Command =>
  new Command("healthcheck")
    .description("ask the running agent whether it lives, for containers and scripts")
    .requiredOption("--config <file>", "the configuration that it runs with")
    .option("--ready", "ask whether data flow and inference keeps up, not only whether it lives")
    .addHelpText(
      "after",
      `
Example:
  HEALTHCHECK CMD ["ohmwatch", "healthcheck", "--config", "/etc/ohmwatch/ohmwatch.yaml"]

Exit code 0 when it does, 1 with the reasons when it does not, 69 when it does not answer, 78 without http.listen.`,
    )
    .action(async ({ config: file, ready }: { config: string; ready?: boolean }) => {
      const { http } = loadConfig(file, knownNames());
      if (http === undefined) {
        throw new ExitError("http.listen: expected an address to ask at, got none", exitCodes.config);
      }
      const agent = agentAt(http);
      const path = ready ? "/readyz" : "/healthz";
      const { status, text } = await agent.get(path).catch((cause: Error) => {
        const why = (cause.cause as NodeJS.ErrnoException | undefined)?.code ?? cause.name;
        throw new ExitError(`${agent.url}${path}: expected an answer in 5 s, got ${why}`, exitCodes.brokerAway, {
          cause,
        });
      });
      process.stdout.write(text);
      if (status !== 200) process.exitCode = exitCodes.failed;
    });
