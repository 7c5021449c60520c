import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../agent/version.ts";
import { root } from "../bundle.ts";
import { type Architecture, debianName } from "./node-base.ts";

/*
 * The table of sizes, start-up times and memory in docs/operations.md: `node tools/package/figures.ts [RUNS]`, after
 * `npm run package` and `npm run package -- --sea`. The two kinds of binary take turns, so that what else the machine does
 * falls on both.
 */
const runs = Number(process.argv[2] ?? 7);
const architecture = process.arch as Architecture;
const kinds = [
  { name: "pkg --sea", file: join(root, `out/ohmwatch-linux-${architecture}`) },
  { name: "plain SEA", file: join(root, `out/sea/ohmwatch-linux-${architecture}`) },
].filter(({ file }) => existsSync(file));
const folder = mkdtempSync(join(tmpdir(), "ohmwatch-figures-"));

/** An ECG stream, and one of each modality. */
const streams = {
  one: "[{ name: bed, pipeline: ecg, model: ecg-beats }]",
  four: `[{ name: bed, pipeline: ecg, model: ecg-beats }, { name: voice, pipeline: audio, model: keywords-12, codec: wav },
    { name: hall, pipeline: vibration, model: bearing-faults }, { name: pump, pipeline: sensor, model: pump-anomaly, codec: json }]`,
};
for (const [name, list] of Object.entries(streams)) {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `mqtt: { embeddedPort: 0 }\nstate: { directory: ${folder}/state }\nstreams: ${list}\n`,
  );
}

interface Start {
  readonly firstMs: number;
  readonly readyMs: number;
  readonly cpuMs: number;
}

const environment = { PATH: "/usr/bin:/bin", LANG: "C.UTF-8", CACHE_DIRECTORY: join(folder, "cache") };

/** Start the agent, and give it to `then` once it is ready. */
const started = async (file: string, config: string, then: (agent: ChildProcess) => Promise<void>): Promise<Start> => {
  const begun = performance.now();
  const agent = spawn(file, ["run", "--config", join(folder, `${config}.yaml`)], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  let firstMs: number | undefined;
  const start = await new Promise<Start>((done, fail) => {
    agent.stderr!.on("data", (part: Buffer) => {
      firstMs ??= performance.now() - begun;
      const before = log;
      log += part.toString();
      if (log.includes('"Ready') && !before.includes('"Ready')) {
        done({ firstMs, readyMs: performance.now() - begun, cpuMs: cpuMsOf(agent.pid!) });
      }
    });
    agent.once("exit", (code) => fail(new Error(`${file}: ended with ${code}: ${log}`)));
  });
  await then(agent);
  const ended = new Promise((done) => agent.once("exit", done));
  agent.kill("SIGTERM");
  await ended;
  return start;
};

/** proc_pid_stat(5): fields 14 and 15, in clock ticks of 10 ms. */
const cpuMsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

/** Resident memory, MB: all, and without the pages of files, which the system can take back. */
const residentMb = (pid: number): readonly [all: number, anonymous: number] => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) / 1000;
  return [of("VmRSS"), of("RssAnon")];
};

/** Let the system forget what it holds of a file: its next start reads the disk. */
const forget = (file: string): void =>
  void execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0", "status=none"]);

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const nothing = async (): Promise<void> => {};

const samples = new Map<string, Record<string, number[]>>(kinds.map(({ name }) => [name, {}]));
const note = (kind: string, figure: string, value: number): void => {
  const of = samples.get(kind)!;
  of[figure] = [...(of[figure] ?? []), value];
};
const clean = (name: string): void => {
  rmSync(join(folder, name), { recursive: true, force: true });
  if (name === "cache") mkdirSync(join(folder, name), { mode: 0o700 });
};

clean("cache");
for (let run = 0; run < runs; run++) {
  for (const { name, file } of kinds) {
    const begun = performance.now();
    execFileSync(file, ["--version"], { env: environment });
    note(name, "--version, ms", performance.now() - begun);
    for (const isCold of [true, false]) {
      if (isCold) clean("cache");
      if (isCold) forget(file);
      const { firstMs, readyMs, cpuMs } = await started(file, "one", nothing);
      const how = isCold ? "cold" : "warm";
      note(name, `first log, ${how}, ms`, firstMs);
      note(name, `ready, ${how}, ms`, readyMs);
      note(name, `processor time to ready, ${how}, ms`, cpuMs);
    }
  }
}
for (const { name, file } of kinds) {
  note(name, "binary, MB", statSync(file).size / 1e6);
  const deb = join(root, `out/ohmwatch_${version()}_${debianName[architecture]}.deb`);
  if (name === "pkg --sea" && existsSync(deb)) note(name, "in the .deb, MB", statSync(deb).size / 1e6);
  for (const config of ["one", "four"] as const) {
    await started(file, config, async ({ pid }) => {
      await wait(20_000);
      const [all, anonymous] = residentMb(pid!);
      note(name, `resident idle, ${config} of 4 streams, MB`, all);
      note(name, `of that not file pages, ${config} of 4 streams, MB`, anonymous);
    });
  }
  const demo = spawn(file, ["demo", "--seconds", "20", "--speed", "2", "--json", "--state", join(folder, "demo")], {
    env: environment,
    stdio: "ignore",
  });
  await wait(18_000);
  note(name, "resident under load (demo, twice the speed), MB", residentMb(demo.pid!)[0]);
  await new Promise((done) => demo.once("exit", done));
  clean("demo");
}

const rows = [...new Set([...samples.values()].flatMap((of) => Object.keys(of)))];
const cell = (values: readonly number[] | undefined): string => {
  if (values === undefined) return "–";
  const sorted = [...values].sort((a, b) => a - b);
  const digits = sorted[0]! < 200 && values.length === 1 ? 1 : 0;
  if (values.length === 1) return sorted[0]!.toFixed(digits);
  return `${sorted[sorted.length >> 1]!.toFixed(digits)} / ${sorted[0]!.toFixed(digits)}`;
};
process.stdout.write(`| ${architecture}, median / least of ${runs} | ${kinds.map(({ name }) => name).join(" | ")} |\n`);
process.stdout.write(`|---|${kinds.map(() => "--:|").join("")}\n`);
for (const row of rows) {
  process.stdout.write(`| ${row} | ${kinds.map(({ name }) => cell(samples.get(name)![row])).join(" | ")} |\n`);
}
if (readdirSync(folder).length > 0) rmSync(folder, { recursive: true });
