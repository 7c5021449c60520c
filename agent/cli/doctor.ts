import { Command } from "commander";
import { databaseFileOf } from "../compose.ts";
import { loadConfig } from "../config/load.ts";
import { configSchema } from "../config/schema.ts";
import { knownNames } from "../known-names.ts";
import { zooNames } from "../models.ts";
import { checkBroker, checkClock, checkDatabase, checkDisk, checkHttp, checkModels } from "./doctor-checks.ts";
import { type Check, report } from "./findings.ts";

/** `doctor`: is this machine fit to run the agent? */
export const doctorCommand = (): Command =>
  new Command("doctor")
    .description("check this machine and, with --config, disk, database, broker, HTTP and models; changes nothing")
    .option("--config <file>", "check what this configuration needs")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Example:
  ohmwatch doctor --config /etc/ohmwatch/ohmwatch.yaml

Exit code of the first check that fails: 69 broker away, 77 broker refuses us, 73 state cannot be made, 74 disk full or
database damaged, 66 or 65 model missing or unusable, 78 configuration, 1 anything else.`,
    )
    .action((options: { config?: string; json?: boolean }) => report(checksFor(options.config), options));

const checksFor = (file: string | undefined): Readonly<Record<string, Check>> => {
  const config =
    file === undefined
      ? configSchema.parse({ state: {}, streams: [{ name: "none", pipeline: "ecg", model: "none" }] })
      : loadConfig(file, knownNames());
  const machine: Readonly<Record<string, Check>> = {
    node: () => {
      const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
      if (major < 22 || (major === 22 && minor < 12)) throw new Error(`expected Node ≥ 22.12, got ${process.version}`);
      return `${process.version} on ${process.platform} ${process.arch}`;
    },
    kernels: () => {
      if (!WebAssembly.validate(simdProbe)) throw new Error("expected a WebAssembly engine with SIMD, got one without");
      return "WebAssembly SIMD works";
    },
    clock: () => checkClock(new Date(), file === undefined ? [] : [file, databaseFileOf(config)]),
  };
  if (file === undefined) {
    return { ...machine, disk: () => checkDisk("."), models: () => checkModels(zooNames(), config.chip) };
  }
  return {
    ...machine,
    disk: () => checkDisk(config.state.directory),
    database: () => checkDatabase(config),
    broker: () => checkBroker(config),
    http: () => checkHttp(config),
    models: () => checkModels([...new Set(config.streams.map(({ model }) => model))], config.chip),
  };
};

/** The least module with a vector in it: `(func (result v128) i32.const 0; i8x16.splat)`. */
// biome-ignore format: bytes, not a list to read downwards
const simdProbe = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11);
