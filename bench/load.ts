import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, mosquitto, startMosquitto } from "../test/support/mosquitto.ts";
import { onnxOf, toneModel } from "../test/support/tiny-models.ts";
import { writeNodeRedFolder } from "./load/node-red.ts";
import { payloadBytes } from "./load/setting.ts";
import { quartiles } from "./timing.ts";

/**
 * Load, side by side in one run: the agent, a bare MQTT.js subscriber and Node-RED 4 on the same broker (mosquitto) with
 * the same payloads of 256 bytes. Rates are from the first message to the last, medians of rounds taken in turns.
 */
const rounds = Number(process.env["OHMWATCH_LOAD_ROUNDS"] ?? 3);
const count = { 0: 150_000, 1: 60_000 } as const;

const script = (name: string): string => fileURLToPath(new URL(`./load/${name}.ts`, import.meta.url));

interface Running {
  readonly child: ChildProcess;
  /** Resolves with the first line that begins so. */
  line(start: string): Promise<string>;
  readonly lines: readonly string[];
  end(signal?: NodeJS.Signals): Promise<void>;
}

const start = (args: readonly string[], options: { cwd?: string } = {}): Running => {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  child.stdout.on("data", (part: Buffer) => {
    const parts = (rest + part.toString()).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    for (const check of waiting) check();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    child,
    lines,
    line: (begins) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.find((line) => line.includes(begins));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
        ended.then(() => reject(new Error(`${args[0]}: ended before ${begins}`)));
      }),
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      await ended;
    },
  };
};

/** What a log of `count milliseconds busy-milliseconds` lines says of the time from the first message to the last. */
interface Pace {
  /** Messages a second. */
  readonly rate: number;
  /** Processor time a message, µs. */
  readonly busyUs: number;
}

const sustained = (lines: readonly string[]): Pace => {
  const points = lines.filter((line) => /^\d+ [\d.]+ [\d.]+$/.test(line)).map((line) => line.split(" ").map(Number));
  const first = points.findLast(([count]) => count === 0)!;
  const last = points.find(([count]) => count === points.at(-1)![0])!;
  const [count, ms, busyMs] = last.map((value, k) => value - first[k]!) as [number, number, number];
  return { rate: (1000 * count) / ms, busyUs: (1000 * busyMs) / count };
};

/** Let a publisher loose and wait until what it sent is through. */
const publish = async (port: number, qos: 0 | 1): Promise<void> => {
  const publisher = start([script("publisher"), String(port), "load", String(qos), String(count[qos])]);
  await publisher.line("ready");
  publisher.child.stdin!.write("go\n");
  await new Promise((resolve) => publisher.child.once("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 1500));
};

const bare = async (port: number, qos: 0 | 1): Promise<Pace> => {
  const subscriber = start([script("bare-subscriber"), String(port), "load", String(qos)]);
  await subscriber.line("ready");
  await publish(port, qos);
  await subscriber.end();
  return sustained(subscriber.lines);
};

const agent = async (port: number, qos: 0 | 1): Promise<Pace> => {
  const running = start([script("agent"), String(port), String(qos)]);
  await running.line("ready");
  await publish(port, qos);
  await running.end();
  const { rejected, dropped, messages, frames } = JSON.parse((await running.line("summary")).slice(8));
  if (rejected + dropped > 0 || frames === 0)
    throw new Error(
      `agent: expected all to be worked off, got ${rejected} refused, ${dropped} dropped of ${messages}, ${frames} frames`,
    );
  return sustained(running.lines);
};

const nodeRed = async (port: number, qos: 0 | 1): Promise<Pace> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-node-red-"));
  writeNodeRedFolder(folder, port, qos, "load-out");
  const red = fileURLToPath(new URL("../node_modules/node-red/red.js", import.meta.url));
  const running = start([red, "--userDir", folder, "--settings", join(folder, "settings.js")]);
  const counter = start([script("bare-subscriber"), String(port), "load-out", String(qos)]);
  await Promise.all([running.line("Connected to broker"), counter.line("ready")]);
  await publish(port, qos);
  await running.end();
  await counter.end();
  rmSync(folder, { recursive: true });
  return sustained(counter.lines);
};

const latency = async (port: number, qos: 0 | 1, rate: number, seconds: number): Promise<readonly number[]> => {
  const running = start([script("agent"), String(port), String(qos), "latency"]);
  await running.line("ready");
  const publisher = start([
    script("publisher"),
    String(port),
    "load",
    String(qos),
    String(rate * seconds),
    String(rate),
  ]);
  await publisher.line("ready");
  publisher.child.stdin!.write("go\n");
  await new Promise((resolve) => publisher.child.once("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 500));
  await running.end();
  const { decisions } = JSON.parse((await running.line("summary")).slice(8)) as { decisions: [string, number][] };
  const { startAtNs, blockNs, sentAtMs } = JSON.parse((await publisher.line("sent")).slice(5)) as {
    startAtNs: string;
    blockNs: string;
    sentAtMs: number[];
  };
  const latenciesMs = decisions.map(([toNs, atMs]) => {
    // The message that completed the window.
    const i = Math.ceil(Number(BigInt(toNs) - BigInt(startAtNs)) / Number(blockNs)) - 1;
    return atMs - sentAtMs[i]!;
  });
  // The first second warms up.
  return latenciesMs.slice(rate).sort((a, b) => a - b);
};

/** Megabytes that the built program takes when it runs and nothing comes. */
const idleMemory = async (port: number, device: string): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-idle-"));
  writeFileSync(join(folder, "tones.onnx"), onnxOf(toneModel()));
  const stream = `{ name: s, pipeline: vibration, model: ${join(folder, "tones.onnx")} }`;
  writeFileSync(
    join(folder, "c.yaml"),
    `mqtt: { url: "mqtt://127.0.0.1:${port}", clientId: idle }\nstate: { directory: ${folder}/state }\nhttp: { listen: "127.0.0.1:0" }\nlog: { level: silent }\nchip: { device: ${device} }\nstreams: [${stream}]\n`,
  );
  const running = start(["dist/agent/ohmwatch.mjs", "run", "--config", join(folder, "c.yaml")]);
  await new Promise((resolve) => setTimeout(resolve, 8000));
  const status = readFileSync(`/proc/${running.child.pid}/status`, "utf8");
  await running.end();
  rmSync(folder, { recursive: true });
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1000;
};

const thousand = (rate: number): string => `${(rate / 1000).toFixed(1)}k`;

export const run = async (): Promise<void> => {
  if (mosquitto === undefined) {
    process.stdout.write("  skipped: mosquitto is not installed\n");
    return;
  }
  const port = await freePort();
  const broker = await startMosquitto(port, [
    "max_inflight_messages 1000",
    "max_queued_messages 0",
    "max_queued_bytes 0",
  ]);
  try {
    process.stdout.write(`  ${payloadBytes} bytes a message, messages a second\n`);
    for (const qos of [0, 1] as const) {
      const ways = { bare, agent, nodeRed };
      const paces: Record<keyof typeof ways, Pace[]> = { bare: [], agent: [], nodeRed: [] };
      for (let round = 0; round < rounds; round++) {
        for (const name of Object.keys(ways) as (keyof typeof ways)[]) paces[name].push(await ways[name](port, qos));
      }
      const ratio = (a: keyof typeof ways, b: keyof typeof ways): string =>
        quartiles(paces[a].map(({ rate }, i) => rate / paces[b][i]!.rate)).median.toFixed(2);
      const rate = (name: keyof typeof ways): string => thousand(quartiles(paces[name].map((p) => p.rate)).median);
      const busy = (name: keyof typeof ways): string =>
        `${quartiles(paces[name].map((p) => p.busyUs)).median.toFixed(1)} µs of processor each`;
      process.stdout.write(
        [
          `  QoS ${qos}: bare MQTT.js ${rate("bare")}, ${busy("bare")}`,
          `         Ohmwatch ${rate("agent")}, ${busy("agent")}: ${ratio("agent", "bare")} of bare (wanted ≥ 0.50)`,
          `         Node-RED ${rate("nodeRed")}: Ohmwatch is ${ratio("agent", "nodeRed")} × (wanted ≥ 2)`,
          "",
        ].join("\n"),
      );
    }
    for (const qos of [0, 1] as const) {
      const sorted = await latency(port, qos, 1000, 8);
      const at = (part: number): string => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(2);
      process.stdout.write(
        `  1000 messages/s, QoS ${qos}, sender to decision: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms (wanted p99 ≤ 5 ms)\n`,
      );
    }
    execFileSync(process.execPath, ["tools/build.ts"], { stdio: "ignore" });
    const [digital, chip] = [await idleMemory(port, "digital"), await idleMemory(port, "pcm-nandakumar-2019")];
    process.stdout.write(
      `  idle: ${digital.toFixed(0)} MB resident without a chip, ${chip.toFixed(0)} MB with one and its upkeep (wanted ≤ 110)\n`,
    );
  } finally {
    await broker.kill();
  }
};
