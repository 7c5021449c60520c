import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { DoubtPolicy } from "../../models/model.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import type { Network } from "../../models/network/network.ts";
import { ageAt, type ChipHardware, networkOptionsOf } from "../chip-hardware.ts";
import { compareAnswers } from "../upkeep/answer-noise.ts";
import type { Figures, Task } from "./figures.ts";
import { spread } from "./metrics.ts";

export type Compensation = "none" | "global" | "per-column";

export interface LifetimeOptions extends ChipHardware {
  readonly device: string;
  readonly agesSeconds: readonly { readonly name: string; readonly seconds: number }[];
  readonly compensations: readonly Compensation[];
  /** Chips with the seeds 1 … n. */
  readonly seeds: number;
  /** What is done with answers within the noise; left out: nothing, and they are not looked for. */
  readonly doubts?: readonly DoubtPolicy[];
  readonly sigmas?: number;
  readonly reads?: number;
  /** Resistance of each segment of their word and bit lines, Ω; 0: none. */
  readonly wireOhm?: number;
}

/** Mean, spread and worst of each figure over the chips, at one age with one compensation. */
export interface AgedFigures {
  readonly age: string;
  readonly compensation: Compensation;
  readonly doubt?: DoubtPolicy;
  /** Of the first figure (accuracy, or F1). */
  readonly mean: number;
  readonly std: number;
  readonly worst: number;
  readonly figures: Readonly<Record<string, ReturnType<typeof spread>>>;
}

export interface Lifetime {
  readonly device: string;
  /** Of each segment, Ω; left out: none. */
  readonly wireOhm?: number;
  /** How the chips differ from plain ones; left out: not at all. */
  readonly chips?: ChipHardware;
  readonly seeds: number;
  readonly digital: Figures;
  readonly analog: readonly AgedFigures[];
}

/**
 * Measure a model on digital arithmetic and on simulated chips over their age: each seed programmes one chip, which
 * then ages; each compensation is measured at each age.
 */
export const measureLifetime = (
  graph: Graph,
  manifest: Manifest,
  task: Task,
  options: LifetimeOptions,
  onProgress: (done: number, all: number) => void = () => {},
): Lifetime => {
  const { agesSeconds, compensations, seeds, wireOhm = 0, hardware, faults, celsius } = options;
  const { doubts = [], sigmas = 2, reads = 8 } = options;
  const device = deviceByName(options.device);
  const chips: ChipHardware = {
    ...(hardware && { hardware }),
    ...(faults && { faults }),
    ...(celsius !== undefined && { celsius }),
  };
  const twin = new DigitalNetwork(graph, { kernel: "simd" });
  const digital = task.score(twin);
  const inputs = doubts.length > 0 ? someInputs(task, twin) : [];
  const runs = new Map<string, Figures["numbers"][]>();
  const ways: readonly (DoubtPolicy | undefined)[] = [undefined, ...doubts];
  const all = seeds * agesSeconds.length * compensations.length * ways.length;
  let done = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const chip = new AnalogNetwork(graph, {
      device,
      seed,
      mapping: manifest.mapping,
      kernel: "simd",
      ...(wireOhm > 0 && { wires: { wordLineOhm: wireOhm, bitLineOhm: wireOhm, layout: "separate" as const } }),
      ...networkOptionsOf(chips),
    });
    for (const { name, seconds } of agesSeconds) {
      ageAt(chip, device, seconds, chips);
      for (const compensation of compensations) {
        chip.calibrate(compensation);
        const noise = inputs.length > 0 ? compareAnswers(chip, twin, manifest.task, inputs, 4).noise : undefined;
        for (const policy of ways) {
          const doubt = policy && { policy, sigmas, reads, twin, noise: () => noise, mayAnswer: () => true };
          const key = `${name}\n${compensation}\n${policy ?? ""}`;
          runs.set(key, [...(runs.get(key) ?? []), task.score(chip, doubt).numbers]);
          onProgress(++done, all);
        }
      }
    }
  }
  const first = Object.keys(digital.numbers)[0]!;
  const analog = [...runs].map(([key, results]): AgedFigures => {
    const [age, compensation, doubt] = key.split("\n") as [string, Compensation, DoubtPolicy | ""];
    const names = [...new Set(results.flatMap((r) => Object.keys(r)))];
    const figures = Object.fromEntries(
      names.map((n) => [n, spread(results.map((r) => r[n]).filter((v): v is number => v !== undefined))]),
    );
    const { mean, std, min } = figures[first]!;
    return { age, compensation, ...(doubt && { doubt }), mean, std, worst: min, figures };
  });
  const special = { ...(wireOhm > 0 && { wireOhm }), ...(Object.keys(chips).length > 0 && { chips }) };
  return { device: device.name, ...special, seeds, digital, analog };
};

/** How many inputs the noise of the answers is measured on. */
const noiseInputs = 64;

/** Inputs of the network, evenly out of all that a task asks. */
const someInputs = (task: Task, network: Network): readonly Float32Array[] => {
  let asked = 0;
  const { inputShape, outputShape } = network;
  const every = Math.max(1, Math.floor(task.samples / noiseInputs));
  const inputs: Float32Array[] = [];
  task.score({
    inputShape,
    outputShape,
    infer: (input) => {
      if (asked++ % every === 0 && inputs.length < noiseInputs) inputs.push(input.slice());
    },
  });
  return inputs;
};
