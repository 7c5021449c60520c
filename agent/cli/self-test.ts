import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { sizeOf } from "../../models/tensor.ts";
import { configSchema } from "../config/schema.ts";
import { modelBytes, zooNames } from "../models.ts";
import { damagedFiles } from "../program-files.ts";
import { closeDatabase, openDatabase } from "../store/database.ts";
import { version } from "../version.ts";
import { type Check, report } from "./findings.ts";

interface SelfTestOptions {
  readonly state?: string;
  readonly json?: boolean;
}

/** `self-test`: does this program compute, on this machine, what it computed where it was made? */
export const selfTestCommand = (): Command =>
  new Command("self-test")
    .description("check that this program, on this machine, computes and stores what it should")
    .option("--state <dir>", "write the test database there and delete it; without it in memory")
    .option("--json", "one JSON object, with digests that are equal on all machines")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch self-test --state /var/lib/ohmwatch\n\nExit code 1 when a check fails.",
    )
    .action((options: SelfTestOptions) => report(checksFor(options), options));

const checksFor = ({ state }: SelfTestOptions): Readonly<Record<string, Check>> => ({
  machine: () => {
    const processor = cpus()[0]?.model.trim() || "unknown processor";
    Object.assign(process.report, { excludeNetwork: true }); // looking up names takes seconds where the network is away
    const { glibcVersionRuntime: glibc } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
      .header;
    const values = {
      version: version(),
      architecture: process.arch,
      processor,
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      glibc,
      node: process.versions.node,
    };
    const memory = `${(values.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
    const detail = `Ohmwatch ${values.version} on ${values.architecture}, ${values.cores} × ${processor}, ${memory}, glibc ${glibc ?? "none"}, Node ${values.node}`;
    return { detail, values };
  },
  files: () => {
    const { damaged, count } = damagedFiles();
    if (damaged.length > 0)
      throw new Error(`expected ${count} files as they were packed, got others: ${damaged.join(", ")}`);
    return count === 0 ? "not packed: as they lie on the disk" : `${count} files are as they were packed`;
  },
  kernels: () => {
    const name = smallest(zooNames());
    const [simd, reference] = (["simd", "reference"] as const).map((kernel) => chipOutputs(name, kernel));
    const at = simd!.findIndex((value, i) => !Object.is(value, reference![i]));
    if (at >= 0) {
      throw new Error(`expected the vector kernels to equal the reference, got ${simd![at]} and ${reference![at]}`);
    }
    return `${simd!.length} outputs of ${name} on a noisy chip equal the reference to the last bit`;
  },
  models: () => {
    const digests = Object.fromEntries(
      zooNames().map((name) => [
        name,
        { digital: digest(digitalOutputs(name)), chip: digest(chipOutputs(name, "simd")) },
      ]),
    );
    const names = Object.keys(digests);
    if (names.length === 0) throw new Error("expected models in the zoo, got none");
    return { detail: `${names.join(", ")} give what their test vectors say`, values: digests };
  },
  database: () => {
    const folder = state === undefined ? undefined : join(state, `self-test-${process.pid}`);
    if (folder !== undefined) mkdirSync(folder);
    try {
      return writtenAndRead(folder === undefined ? ":memory:" : join(folder, "self-test.sqlite"));
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true });
    }
  },
});

const smallest = (names: readonly string[]): string => {
  const sizes = new Map(names.map((name) => [name, modelBytes(name).length]));
  const [name] = [...names].sort((a, b) => sizes.get(a)! - sizes.get(b)!);
  if (name === undefined) throw new Error("expected a model in the zoo, got none");
  return name;
};

/** Outputs for all test vectors, one after the other. @throws where one is not what its vector says */
const digitalOutputs = (name: string): Float32Array => {
  const { graph, manifest } = parseModel(modelBytes(name));
  const outputs = runVectors(name, new DigitalNetwork(graph));
  const expected = manifest.testVectors.flatMap(({ output }) => output);
  const scale = Math.max(1, ...expected.map(Math.abs));
  outputs.forEach((value, i) => {
    // Vectors are written as decimals.
    if (!(Math.abs(value - expected[i]!) / scale < 1e-3)) {
      throw new Error(`${name}: expected output ${expected[i]} of its test vectors, got ${value}`);
    }
  });
  return outputs;
};

/** The same on a chip with all that is random in it: one seed gives the same bits everywhere. */
const chipOutputs = (name: string, kernel: "simd" | "reference"): Float32Array => {
  const { graph, manifest } = parseModel(modelBytes(name));
  const { device, seed } = configSchema.shape.chip.parse({});
  return runVectors(
    name,
    new AnalogNetwork(graph, { device: deviceByName(device), seed, mapping: manifest.mapping, kernel }),
  );
};

const runVectors = (name: string, network: { infer(x: Float32Array, y: Float32Array): void }): Float32Array => {
  const { graph, manifest } = parseModel(modelBytes(name));
  const size = sizeOf(graph.output.shape);
  const outputs = new Float32Array(size * manifest.testVectors.length);
  manifest.testVectors.forEach(({ input }, i) => {
    const y = outputs.subarray(i * size, (i + 1) * size);
    network.infer(
      Float32Array.from(input, (code) => code * manifest.input.scale),
      y,
    );
  });
  return outputs;
};

const digest = (values: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

const writtenAndRead = (file: string): string => {
  const text = "Ω 0x1.8p1";
  const wide = 2n ** 62n + 1n; // a double would round it
  const database = openDatabase(file);
  try {
    database.exec("CREATE TABLE self_test (wide INTEGER, text TEXT, bytes BLOB) STRICT");
    database.prepare("INSERT INTO self_test VALUES (?, ?, ?)").run(wide, text, Buffer.from(text));
    const row = database.prepare("SELECT wide, text, bytes FROM self_test").safeIntegers().get() as {
      wide: bigint;
      text: string;
      bytes: Uint8Array;
    };
    database.exec("DROP TABLE self_test");
    const got = `${row.wide} ${row.text} ${Buffer.from(row.bytes).toString()}`;
    if (got !== `${wide} ${text} ${text}`) throw new Error(`expected what was written, got ${got}`);
    const { version: sqlite } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string };
    return `SQLite ${sqlite} writes and reads ${file === ":memory:" ? "in memory" : file}`;
  } finally {
    closeDatabase(database);
  }
};
