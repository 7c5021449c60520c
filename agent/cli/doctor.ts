import { statfsSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { dirname } from "node:path";
import { Command } from "commander";
import { databaseFileOf } from "../compose.ts";
import { loadConfig } from "../config/load.ts";
import { configSchema } from "../config/schema.ts";
import { knownNames } from "../known-names.ts";
import { openModel, zooNames } from "../models.ts";
import { withoutSecrets } from "../mqtt/connection.ts";
import { closeDatabase, openDatabase } from "../store/database.ts";
import { type Check, report } from "./findings.ts";

/** `doctor`: is this machine fit to run the agent? */
export const doctorCommand = (): Command =>
  new Command("doctor")
    .description("check node, database, disk, clock, broker, kernels and models")
    .option("--config <file>", "check what this configuration needs")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch doctor --config /etc/ohmwatch/ohmwatch.yaml\n\nExit code 1 when a check fails.",
    )
    .action((options: { config?: string; json?: boolean }) => report(checksFor(options.config), options));

const checksFor = (file: string | undefined): Readonly<Record<string, Check>> => {
  const config =
    file === undefined
      ? configSchema.parse({ state: {}, streams: [{ name: "none", pipeline: "ecg", model: "none" }] })
      : loadConfig(file, knownNames());
  return {
    node: () => {
      const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
      if (major < 22 || (major === 22 && minor < 12)) throw new Error(`expected Node ≥ 22.12, got ${process.version}`);
      return `${process.version} on ${process.platform} ${process.arch}`;
    },
    clock: () => {
      const year = new Date().getUTCFullYear();
      if (year < 2025) throw new Error(`expected a clock that was set, got ${new Date().toISOString()}`);
      return new Date().toISOString();
    },
    database: () => {
      const target = file === undefined ? ":memory:" : databaseFileOf(config);
      const database = openDatabase(target);
      try {
        const state = database.pragma("quick_check", { simple: true });
        if (state !== "ok") throw new Error(`${target}: expected an unharmed database, got ${state}`);
        const { version } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string };
        return `${target === ":memory:" ? "in memory" : target}, SQLite ${version}`;
      } finally {
        closeDatabase(database);
      }
    },
    disk: () => {
      const folder = file === undefined ? "." : dirname(databaseFileOf(config));
      const { bavail, bsize } = statfsSync(folder);
      const freeMegabytes = (bavail * bsize) / 1e6;
      if (freeMegabytes < 100) throw new Error(`${folder}: expected 100 MB free, got ${freeMegabytes.toFixed(0)} MB`);
      return `${(freeMegabytes / 1000).toFixed(1)} GB free at ${folder}`;
    },
    broker: () =>
      config.mqtt.url === undefined ? `embedded, port ${config.mqtt.embeddedPort}` : reach(config.mqtt.url),
    kernels: () => {
      if (!WebAssembly.validate(simdProbe)) throw new Error("expected a WebAssembly engine with SIMD, got one without");
      return "WebAssembly SIMD works";
    },
    models: () => {
      const names = file === undefined ? zooNames() : [...new Set(config.streams.map(({ model }) => model))];
      for (const name of names) openModel(name, { ...config.chip, device: "digital" });
      return names.length === 0 ? "none in the zoo" : names.join(", ");
    },
  };
};

const reach = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port, protocol } = new URL(url);
    const address = withoutSecrets(url);
    const secure = protocol === "mqtts:" || protocol === "tls:";
    const socket = connectTcp({ host: hostname, port: Number(port || (secure ? 8883 : 1883)), timeout: 3000 });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new Error(`expected a broker at ${address}, got ${why}`));
    };
    socket.once("connect", () => {
      socket.destroy();
      resolve(`${address} answers`);
    });
    socket.once("timeout", () => fail("no answer in 3 s"));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  });

/** The least module with a vector in it: `(func (result v128) i32.const 0; i8x16.splat)`. */
const simdProbe = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
);
