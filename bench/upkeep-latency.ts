import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { configSchema } from "../agent/config/schema.ts";
import { modelBytes } from "../agent/models.ts";
import type { UpkeepStep } from "../agent/store/chip-record.ts";
import { ChipBank } from "../agent/upkeep/chip-bank.ts";
import type { Manifest } from "../models/manifest.ts";
import { SequentialRandom } from "../models/random.ts";
import { askOf, scoreMargin } from "../pipelines/operators/ask.ts";
import { quartiles } from "./timing.ts";

/*
 * From a frame to its answer, with a chip that is left alone and with one that is written anew all the time. A third way
 * tells what the machine itself takes for having its other core busy: a thread of the same priority that goes through as
 * much memory and knows nothing of chips. The three take turns in short stretches, so that a busy neighbour meets all of
 * them, and figures are medians over the stretches. With upkeep, only frames that come while it works count.
 */
const rounds = Number(process.env["OHMWATCH_LATENCY_ROUNDS"] ?? 10);
/** Seconds of a stretch that are measured, and that pass before. */
const [measuredSeconds, settlingSeconds] = [4, 1.5];
/** The chip lives four months a second, so that each look finds it worth writing all of it anew. */
const clockRate = 1e7;
/** Part of the time that the thread that answers is busy answering: full, with room to make up for what was late. */
const load = 2 / 3;

type Counts = () => boolean;

/** Latencies of frames that come every `periodMs`, from when each was due to its answer, ms. Lets messages in between. */
const frames = async (ask: () => void, periodMs: number, seconds: number, counts: Counts): Promise<number[]> => {
  const latencies: number[] = [];
  const begun = performance.now();
  for (let due = begun; due < begun + 1000 * seconds; due += periodMs) {
    await new Promise((resolve) => setImmediate(resolve));
    const early = due - performance.now();
    // As a thread that waits for a frame it sleeps; a timer of the loop would have steps of a millisecond.
    if (early > 0) Atomics.wait(sleeper, 0, 0, early);
    const counted = counts();
    ask();
    if (counted) latencies.push(performance.now() - due);
  }
  return latencies.sort((a, b) => a - b);
};
const sleeper = new Int32Array(new SharedArrayBuffer(4));

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;

/** Inputs between those of the test vectors: answers that are close, which drift puts at risk. */
const closeInputs = ({ testVectors, input: { scale } }: Manifest): readonly Float32Array[] => {
  const random = new SequentialRandom(1);
  const real = testVectors.map(({ input }) => Float32Array.from(input, (code) => code * scale));
  return Array.from({ length: 64 }, (_, k) => {
    const [one, other, part] = [real[k % real.length]!, real[(7 * k + 3) % real.length]!, random.uniform()];
    return one.map((value, i) => part * value + (1 - part) * other[i]!);
  });
};

/** A chip in a folder of its own, that is full of work while it is started. */
const openBank = (folder: string, onStep: (step: UpkeepStep) => void) => {
  const chip = configSchema.shape.chip.parse({ clockRate, compensation: "none", upkeep: { tolerance: 0.0001 } });
  const bank = new ChipBank({
    ...{ file: join(folder, "chips.sqlite"), chip, emit: () => {}, hasRoom: () => true },
    time: { wallMs: Date.now, steadyMs: () => performance.now() },
    onStep: (_, step) => onStep(step),
  });
  return { bank, chip };
};

/** What keeps the other core busy meanwhile; resolves to what ends it. */
type Beside = () => Promise<{ readonly counts: Counts; end(): Promise<void> }>;

const measure = async (name: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-bench-"));
  let [steps, pulses] = [0, 0];
  const { bank, chip } = openBank(folder, (step) => {
    steps++;
    pulses += step.pulses;
  });
  const model = bank.openModel(name, chip);
  const inputs = closeInputs(model.manifest);
  const answer = askOf(model);
  const output = new Float32Array(model.manifest.labels.length);
  let asked = 0;
  const ask = (): void => void answer(inputs[asked++ % inputs.length]!, output, scoreMargin);
  for (let i = 0; i < 3000; i++) ask();
  const periodMs = (await busyMs(ask)) / load;

  const ways: Readonly<Record<string, Beside>> = {
    "left alone": async () => ({ counts: () => true, end: async () => {} }),
    "core busy": async () => {
      const worker = new Worker(new URL("./load/busy-core.ts", import.meta.url), { workerData: bytesOf(name) });
      return { counts: () => true, end: async () => void (await worker.terminate()) };
    },
    upkeep: async () => {
      bank.start();
      const end = async (): Promise<void> => {
        bank.pause();
        while (bank.isAtWork) await new Promise((resolve) => setTimeout(resolve, 50));
      };
      return { counts: () => bank.isAtWork, end };
    },
  };
  const seen = new Map(Object.keys(ways).map((way) => [way, [] as number[][]]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, beside] of Object.entries(ways)) {
      const { counts, end } = await beside();
      await frames(ask, periodMs, settlingSeconds, counts);
      seen.get(way)!.push(await frames(ask, periodMs, measuredSeconds, counts));
      await end();
    }
  }
  await bank.stop();
  rmSync(folder, { recursive: true });
  const lines = [`${name}: a frame every ${periodMs.toFixed(2)} ms, ${steps} steps of upkeep with ${pulses} pulses`];
  const alone = seen.get("left alone")!.map((latencies) => percentile(latencies, 0.99));
  for (const [way, stretches] of seen) {
    const at = (part: number) => stretches.map((latencies) => percentile(latencies, part));
    const count = stretches.reduce((sum, latencies) => sum + latencies.length, 0);
    const growth = at(0.99).map((p99, round) => p99 - alone[round]!);
    const percent = Math.round((100 * quartiles(growth).median) / quartiles(alone).median);
    const grows = way === "left alone" ? "" : `, grows by ${show(growth)}, ${percent} %`;
    lines.push(
      `  ${way.padEnd(10)} ${String(count).padStart(6)} frames, ms: p50 ${show(at(0.5))}, p99 ${show(at(0.99))}${grows}`,
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
