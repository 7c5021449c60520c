import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { BundleError, makeBundle, readBundle, signBundle, verifyBundle } from "../bundles/bundle.ts";
import { checkBundle } from "../bundles/installer.ts";
import { Library } from "../bundles/library.ts";
import { selfTest } from "../bundles/self-test.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { knownNames } from "../known-names.ts";
import { modelBytes } from "../models.ts";
import { VisitRefused, visit } from "../mqtt/visitor.ts";
import { ExitError, exitCodes } from "./exit.ts";

/** `bundle make|sign|verify|install`: models that travel. */
export const bundleCommand = (): Command => {
  const command = new Command("bundle").description("pack, sign, verify and install models").addHelpText(
    "after",
    `
A key pair, once, with OpenSSL:
  openssl genpkey -algorithm ed25519 -out models.key.pem
  openssl pkey -in models.key.pem -pubout -out models.pub.pem

Example:
  ohmwatch bundle make ecg-beats --key models.key.pem --out ecg-beats.bundle
  ohmwatch bundle verify ecg-beats.bundle --trust models.pub.pem
  ohmwatch bundle install ecg-beats.bundle --config /etc/ohmwatch/ohmwatch.yaml

Exit code 65 where a bundle is damaged or its self-test fails, 77 where nobody whom we trust has signed it.`,
  );
  command
    .command("make")
    .description("pack a model of the zoo, or an .onnx file, into a bundle")
    .argument("<model>", "name or file")
    .requiredOption("--out <file>", "the bundle")
    .option("--key <file>", "private key (Ed25519, PEM) to sign it with")
    .action((model: string, { out, key }: { out: string; key?: string }) => {
      const bytes = makeBundle(modelBytes(model));
      selfTest(readBundle(bytes).model);
      const made = key === undefined ? bytes : signBundle(bytes, readText(key));
      writeFileSync(out, made);
      process.stderr.write(`${out}: ${sayBundle(made)}\n`);
    });
  command
    .command("sign")
    .description("add a signature to a bundle")
    .argument("<file>", "the bundle, which is written anew")
    .requiredOption("--key <file>", "private key (Ed25519, PEM)")
    .action((file: string, { key }: { key: string }) => {
      const signed = signBundle(readBytes(file), readText(key));
      writeFileSync(file, signed);
      process.stderr.write(`${file}: ${sayBundle(signed)}\n`);
    });
  command
    .command("verify")
    .description("check digests, a signature and the self-test of a bundle")
    .argument("<file>", "the bundle")
    .requiredOption("--trust <file...>", "public keys (Ed25519, PEM), one of which must have signed it")
    .action((file: string, { trust }: { trust: string[] }) => {
      const bytes = readBytes(file);
      const bundle = readBundle(bytes);
      const key = verifyBundle(bundle, trust.map(readText));
      const { vectors } = selfTest(bundle.model);
      process.stdout.write(`${sayBundle(bytes)}; ${key} is trusted, ${vectors} test vectors hold\n`);
    });
  command
    .command("install")
    .description("install a bundle: verify, self-test, run along, take over between two frames, or go back")
    .argument("<file>", "the bundle")
    .requiredOption("--config <file>", "the configuration that the agent runs with; names the keys that are trusted")
    .addHelpText(
      "after",
      `
Where an agent runs it is asked over MQTT to install the bundle, and goes on with what the settings under \`bundles\` say;
\`{base}/bridge/request/model/status\` and the log say how far it is. Where none does, the model counts from the next start.`,
    )
    .action(async (file: string, { config: configFile }: { config: string }) => {
      const config = loadConfig(configFile, knownNames());
      const bytes = readBytes(file);
      const { key, vectors, ...bundle } = checkBundle(bytes, config.bundles);
      const what = `${bundle.name} ${bundle.version}`;
      process.stderr.write(`${what}: signed by ${key}, which is trusted; ${vectors} test vectors hold\n`);
      const streams = await askAgent(config, bytes);
      if (streams === undefined) {
        const library = new Library(config);
        library.use(bundle.name, library.add(bundle));
        process.stderr.write(`${what} counts from the next start; no agent runs\n`);
      } else if (streams.length === 0) process.stderr.write(`${what} counts from the next start; no stream uses it\n`);
      else process.stderr.write(`${what} runs along in ${streams.join(", ")}; \`model/status\` says how far it is\n`);
    });
  return command;
};

/** @returns the streams in which it runs along; undefined where no agent answers @throws ExitError where the agent refuses */
const askAgent = async (config: Config, bytes: Uint8Array): Promise<readonly string[] | undefined> => {
  const visitor = await visit(config.mqtt, "bundle").catch((error: unknown) => {
    if (error instanceof VisitRefused && error.exitCode === 69) return undefined;
    throw error;
  });
  if (visitor === undefined) return undefined;
  try {
    const answer = await visitor.ask(config.mqtt.base, "model/install", {
      bundle: Buffer.from(bytes).toString("base64"),
    });
    if (answer === undefined) return undefined;
    if (answer.status === "ok") return (answer.data as { streams: readonly string[] }).streams;
    throw new ExitError(answer.error ?? "the agent refused it", exitCodes.failed);
  } finally {
    await visitor.close();
  }
};

const sayBundle = (bytes: Uint8Array): string => {
  const { name, version, sha256, signatures } = readBundle(bytes);
  const signed = signatures.length === 0 ? "unsigned" : `signed by ${signatures.map(({ key }) => key).join(", ")}`;
  return `${name} ${version}, SHA-256 ${sha256}, ${signed}`;
};

const readBytes = (file: string): Uint8Array => {
  if (!existsSync(file)) throw new ExitError(`${file}: expected a file, got none`, exitCodes.noInput);
  return new Uint8Array(readFileSync(file));
};

const readText = (file: string): string => {
  const text = new TextDecoder().decode(readBytes(file));
  if (!text.includes("-----BEGIN ")) throw new BundleError(`expected a key as PEM in ${file}, got another text`, 65);
  return text;
};
