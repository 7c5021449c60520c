import { existsSync, readdirSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { databaseFileOf } from "../compose.ts";
import { type ConfigText, readTexts } from "../config/layers.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { withoutSecretsOf } from "../config/secrets.ts";
import { processVariables } from "../config/variables.ts";
import { askAgent } from "../http/client.ts";
import { knownNames } from "../known-names.ts";
import { openModel } from "../models.ts";
import { examineDatabase } from "../store/examine.ts";
import { version } from "../version.ts";

/** `support-dump`: what someone who helps from afar must know, without secrets. */
export const supportDumpCommand = (): Command =>
  new Command("support-dump")
    .description("one JSON document for who helps: configuration, versions, health, metrics, last log lines, database")
    .requiredOption("--config <file>", "the configuration that the agent runs with")
    .option("--out <file>", "write it there, readable for its owner alone; without it to standard output")
    .addHelpText(
      "after",
      `
Example:
  ohmwatch support-dump --config /etc/ohmwatch/ohmwatch.yaml --out ohmwatch-support.json

Secrets are taken out: values from variables, files and addresses, wherever they turn up. Signals are not in it.`,
    )
    .action(async ({ config: file, out }: { config: string; out?: string }) => {
      const texts = textsOf(file);
      const clean = withoutSecretsOf(texts, processVariables);
      const text = `${JSON.stringify(clean(await dump(file, texts)), null, 2)}\n`;
      if (out === undefined) process.stdout.write(text);
      else {
        writeFileSync(out, text, { mode: 0o600, flag: "wx" });
        process.stderr.write(`${out}: ${(text.length / 1000).toFixed(0)} kB; look through it before you send it\n`);
      }
    });

const textsOf = (file: string): readonly ConfigText[] => {
  try {
    return readTexts(file);
  } catch {
    return [];
  }
};

const dump = async (file: string, texts: readonly ConfigText[]): Promise<Record<string, unknown>> => {
  const config = attempt(() => loadConfig(file, knownNames()));
  const known = config.ok ? config.value : undefined;
  return {
    at: new Date().toISOString(),
    program: {
      version: version(),
      node: process.version,
      platform: `${process.platform} ${process.arch} ${release()}`,
      processor: cpus()[0]?.model.trim(),
      cores: availableParallelism(),
      memoryBytes: { total: totalmem(), free: freemem() },
      load: loadavg(),
    },
    configuration: {
      files: texts,
      environment: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("OHMWATCH"))),
      ...(config.ok ? {} : { mistakes: config.error.split("\n") }),
    },
    agent: known === undefined ? undefined : await askedOf(known),
    state: known === undefined ? undefined : stateOf(known),
    models: known === undefined ? undefined : modelsOf(known),
  };
};

const askedOf = async ({ http }: Config): Promise<unknown> => {
  if (http === undefined) return { asked: "no: there is no http.listen" };
  const agent = await askAgent(http).catch(String);
  if (agent === undefined || typeof agent === "string") return { asked: `no answer at ${http.listen}`, why: agent };
  const [health, metrics, logs] = await Promise.all(["/readyz", "/metrics", "/logs"].map((path) => agent.get(path)));
  return {
    asked: agent.url,
    health: attempt(() => JSON.parse(health!.text)),
    metrics: metrics!.text.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    log: logs!.text.split("\n").filter((line) => line !== ""),
  };
};

const stateOf = (config: Config): unknown => {
  const { directory } = config.state;
  if (!existsSync(directory)) return { directory, missing: true };
  const { bavail, bsize } = statfsSync(directory);
  return {
    directory,
    freeBytes: bavail * bsize,
    files: readdirSync(directory).map((name) => ({ name, bytes: statSync(join(directory, name)).size })),
    database: attempt(() => examineDatabase(databaseFileOf(config))),
  };
};

const modelsOf = ({ streams, chip }: Config): unknown =>
  [...new Set(streams.map(({ model }) => model))].map((name) => ({
    name,
    ...attempt(() => {
      const { sha256, manifest } = openModel(name, { ...chip, device: "digital" });
      return { sha256, version: manifest.version, modality: manifest.modality };
    }),
  }));

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

const attempt = <T>(work: () => T): Attempt<T> => {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
};
