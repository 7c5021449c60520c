import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../agent/config/schema.ts";
import { modelBytes } from "../agent/models.ts";
import type { UpkeepStep } from "../agent/store/chip-record.ts";
import { ChipBank } from "../agent/upkeep/chip-bank.ts";
import { parseModel } from "../models/load.ts";
import type { Model } from "../models/model.ts";
import { askOf, scoreMargin } from "../pipelines/operators/ask.ts";

/** Seconds of each stretch, and how many there are with upkeep and without. */
const [stretchSeconds, stretches] = [8, 3];
/** The chip lives four months a second, so that each look finds it worth writing all of it anew. */
const clockRate = 1e7;

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;

/** Latencies of frames that come every `periodMs`, from when each was due to its answer, ms. Lets messages in between. */
const frames = async (model: Model, inputs: readonly Float32Array[], periodMs: number): Promise<number[]> => {
  const ask = askOf(model);
  const output = new Float32Array(model.manifest.labels.length);
  const latencies: number[] = [];
  const begun = performance.now();
  for (let due = begun; due < begun + 1000 * stretchSeconds; due += periodMs) {
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
    ask(inputs[latencies.length % inputs.length]!, output, scoreMargin);
    latencies.push(performance.now() - due);
  }
  return latencies;
};

const measure = async (name: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-bench-"));
  const chip = configSchema.shape.chip.parse({ clockRate, upkeep: { tolerance: 0.0001 } });
  const steps: UpkeepStep[] = [];
  const bank = new ChipBank({
    ...{ file: join(folder, "chips.sqlite"), chip, emit: () => {}, hasRoom: () => true },
    time: { wallMs: Date.now, steadyMs: () => performance.now() },
    onStep: (_, step) => steps.push(step),
  });
  const model = bank.openModel(name, chip);
  const { manifest } = parseModel(modelBytes(name));
  const inputs = manifest.testVectors.map(({ input }) =>
    Float32Array.from(input, (code) => code * manifest.input.scale),
  );
  const output = new Float32Array(manifest.labels.length);
  const alone = Array.from({ length: 300 }, (_, i) => {
    const start = performance.now();
    model.network.infer(inputs[i % inputs.length]!, output);
    return performance.now() - start;
  });
  alone.sort((a, b) => a - b);
  const periodMs = 1.5 * percentile(alone, 0.5);
  const [without, during]: [number[], number[]] = [[], []];
  for (let stretch = 0; stretch < stretches; stretch++) {
    for (const latency of await frames(model, inputs, periodMs)) without.push(latency);
    bank.start();
    for (const latency of await frames(model, inputs, periodMs)) during.push(latency);
    bank.pause();
  }
  await bank.stop();
  rmSync(folder, { recursive: true });
  for (const latencies of [without, during]) latencies.sort((a, b) => a - b);
  const row = (what: string, values: readonly number[]) =>
    `  ${what.padEnd(8)} ${values.length} frames, ms: p50 ${percentile(values, 0.5).toFixed(2)}, p99 ${percentile(values, 0.99).toFixed(2)}, most ${values.at(-1)!.toFixed(2)}`;
  const [before, after] = [percentile(without, 0.99), percentile(during, 0.99)];
  const pulses = steps.reduce((sum, step) => sum + step.pulses, 0);
  process.stdout.write(
    `${[
      `${name}: a frame every ${periodMs.toFixed(2)} ms, ${steps.length} steps of upkeep with ${pulses} pulses meanwhile`,
      row("without", without),
      row("with", during),
      `  p99 grows by ${(after - before).toFixed(2)} ms, ${(100 * (after / before - 1)).toFixed(0)} %`,
    ].join("\n")}\n`,
  );
};

/** From a frame to its answer, with a chip that is programmed anew all the time and with one that is left alone. */
export const run = async (): Promise<void> => {
  for (const name of ["digits-mlp", "keywords-12"]) await measure(name);
};
