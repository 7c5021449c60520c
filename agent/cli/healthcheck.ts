import { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { addressOf, readToken } from "../http/address.ts";
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
      const { status, text } = await ask(`${urlOf(http.listen)}/${ready ? "readyz" : "healthz"}`, http.tokenFile);
      process.stdout.write(text);
      if (status !== 200) process.exitCode = exitCodes.failed;
    });

const ask = async (url: string, tokenFile: string | undefined): Promise<{ status: number; text: string }> => {
  const headers: Record<string, string> =
    tokenFile === undefined ? {} : { authorization: `Bearer ${readToken(tokenFile).toString("utf8")}` };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    const why =
      cause instanceof Error ? ((cause.cause as NodeJS.ErrnoException | undefined)?.code ?? cause.name) : cause;
    throw new ExitError(`${url}: expected an answer in 5 s, got ${why}`, exitCodes.brokerAway, { cause });
  }
};

/** An address that is listened at on all interfaces is asked at on loopback. */
const urlOf = (listen: string): string => {
  const { host, port } = addressOf(listen);
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
};
