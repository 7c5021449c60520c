import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { configSchema } from "../agent/config/schema.ts";
import { modelBytes } from "../agent/models.ts";
import { plannedChip } from "../agent/upkeep/chip-plan.ts";
import { LivingChip } from "../agent/upkeep/living-chip.ts";
import type { Shown } from "../agent/upkeep/messages.ts";
import { ServingChip } from "../agent/upkeep/serving-chip.ts";
import type { WritingChip } from "./load/writing-chip.ts";
import { quartiles } from "./timing.ts";

/*
 * From a frame to its answer, with a chip that is left alone and with one that is written anew all the time. A third way
 * tells what the machine itself takes for having its other core busy: a thread of the same priority that goes through as
 * much memory and knows nothing of chips. The three take turns in short stretches, so that a busy neighbour meets all of
 * them, and figures are medians over the stretches.
 */
const rounds = Number(process.env["OHMWATCH_LATENCY_ROUNDS"] ?? 10);
/** Seconds of a stretch that are measured, and that pass before. */
const [measuredSeconds, settlingSeconds] = [4, 1.5];
/** Part of the time that the thread that answers is busy answering: at more, one late frame makes many others late. */
const load = 1 / 2;
/** Frames do not come faster: the loop would be measured, not the network. */
const leastPeriodMs = 0.5;

/** Latencies of frames that come every `periodMs`, from when each was due to its answer, ms. Lets messages in between. */
const frames = async (ask: () => void, periodMs: number, seconds: number): Promise<number[]> => {
  const latencies: number[] = [];
  const begun = performance.now();
  for (let due = begun; due < begun + 1000 * seconds; due += periodMs) {
    await new Promise((resolve) => setImmediate(resolve));
    const early = due - performance.now();
    // As a thread that waits for a frame it sleeps; a timer of the loop would have steps of a millisecond.
    if (early > 0) Atomics.wait(sleeper, 0, 0, early);
    ask();
    latencies.push(performance.now() - due);
  }
  return latencies.sort((a, b) => a - b);
};
const sleeper = new Int32Array(new SharedArrayBuffer(4));

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;

/** What keeps the other core busy from here on; resolves when it does, to what ends it. */
type Beside = () => Promise<() => Promise<void>>;

const measure = async (name: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-bench-"));
  const { plan } = plannedChip(modelBytes(name), configSchema.shape.chip.parse({}));
  const { network, knowledge, manifest } = new LivingChip(plan, 0);
  const chip = new ServingChip(network, knowledge);
  const inputs = manifest.testVectors.map(({ input }) => Float32Array.from(input, (c) => c * manifest.input.scale));
  const output = new Float32Array(manifest.labels.length);
  let asked = 0;
  const ask = (): void => chip.infer(inputs[asked++ % inputs.length]!, output);
  for (let i = 0; i < 3000; i++) ask();
  const periodMs = Math.max(leastPeriodMs, (await busyMs(ask)) / load);

  let [shows, pulses] = [0, 0];
  const start: WritingChip = { model: name, file: join(folder, "chips.sqlite") };
  const writing = new Worker(new URL("./load/writing-chip.ts", import.meta.url), { workerData: start });
  writing.on("message", (message: "rested" | { readonly shown: Shown; readonly pulses: number }) => {
    if (message === "rested") return;
    shows++;
    pulses += message.pulses;
    chip.show(message.shown.image, message.shown.noise, message.shown.mayAnswer);
  });
  const ways: Readonly<Record<string, Beside>> = {
    "left alone": async () => async () => {},
    "core busy": async () => {
      const worker = new Worker(new URL("./load/busy-core.ts", import.meta.url), { workerData: bytesOf(name) });
      return async () => void (await worker.terminate());
    },
    "written anew": async () => {
      writing.postMessage("go");
      return async () => {
        writing.postMessage("rest");
        for (;;) if ((await once(writing, "message"))[0] === "rested") return;
      };
    },
  };
  const seen = new Map(Object.keys(ways).map((way) => [way, [] as number[][]]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, beside] of Object.entries(ways)) {
      const end = await beside();
      await frames(ask, periodMs, settlingSeconds);
      seen.get(way)!.push(await frames(ask, periodMs, measuredSeconds));
      await end();
    }
  }
  await writing.terminate();
  rmSync(folder, { recursive: true });
  const lines = [
    `${name}: a frame every ${periodMs.toFixed(2)} ms; the chip was written ${shows} times, with ${pulses} pulses`,
  ];
  const alone = seen.get("left alone")!.map((latencies) => percentile(latencies, 0.99));
  for (const [way, stretches] of seen) {
    const at = (part: number) => stretches.map((latencies) => percentile(latencies, part));
    const count = stretches.reduce((sum, latencies) => sum + latencies.length, 0);
    const growth = at(0.99).map((p99, round) => p99 - alone[round]!);
    const percent = Math.round((100 * quartiles(growth).median) / quartiles(alone).median);
    const grows = way === "left alone" ? "" : `, grows by ${show(growth)}, ${percent} %`;
    lines.push(
      `  ${way.padEnd(12)} ${String(count).padStart(6)} frames, ms: p50 ${show(at(0.5))}, p99 ${show(at(0.99))}${grows}`,
    );
  }
  process.stdout.write(`${lines.join("\n")}\n`);
};

const show = (values: readonly number[]): string => {
  const { lower, median, upper } = quartiles(values);
  return `${median.toFixed(2)} (${lower.toFixed(2)} … ${upper.toFixed(2)})`;
};

/** Milliseconds that a frame keeps the thread busy, turn of the loop and all: the median of many. */
const busyMs = async (ask: () => void): Promise<number> => {
  const times: number[] = [];
  for (let i = 0; i < 3000; i++) {
    const start = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    ask();
    times.push(performance.now() - start);
  }
  return quartiles(times).median;
};

/** Memory of the devices of a model, as upkeep goes through it: two a weight, with four words each. */
const bytesOf = (name: string): number => 2 * 4 * 4 * (modelBytes(name).length / 4);

/** From a frame to its answer: alone, beside a busy core, and while the chip is written. */
export const run = async (): Promise<void> => {
  for (const name of ["digits-mlp", "keywords-12"]) await measure(name);
};
