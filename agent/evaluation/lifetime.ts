import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import type { Manifest } from "../../models/manifest.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import { ageAt, type ChipHardware, networkOptionsOf } from "../chip-hardware.ts";
import type { Figures, Task } from "./figures.ts";
import { spread } from "./metrics.ts";

export type Compensation = "none" | "global" | "per-column";

export interface LifetimeOptions extends ChipHardware {
  readonly device: string;
  readonly agesSeconds: readonly { readonly name: string; readonly seconds: number }[];
  readonly compensations: readonly Compensation[];
  /** Chips with the seeds 1 … n. */
  readonly seeds: number;
  /** Resistance of each segment of their word and bit lines, Ω; 0: none. */
  readonly wireOhm?: number;
}

/** Mean, spread and worst of each figure over the chips, at one age with one compensation. */
export interface AgedFigures {
  readonly age: string;
  readonly compensation: Compensation;
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
  const device = deviceByName(options.device);
  const chips: ChipHardware = {
    ...(hardware && { hardware }),
    ...(faults && { faults }),
    ...(celsius !== undefined && { celsius }),
  };
  const digital = task.score(new DigitalNetwork(graph, { kernel: "simd" }));
  const runs = new Map<string, Figures["numbers"][]>();
  const all = seeds * agesSeconds.length * compensations.length;
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
        const key = `${name}\n${compensation}`;
        runs.set(key, [...(runs.get(key) ?? []), task.score(chip).numbers]);
        onProgress(++done, all);
      }
    }
  }
  const first = Object.keys(digital.numbers)[0]!;
  const analog = [...runs].map(([key, results]): AgedFigures => {
    const [age, compensation] = key.split("\n") as [string, Compensation];
    const names = [...new Set(results.flatMap((r) => Object.keys(r)))];
    const figures = Object.fromEntries(
      names.map((n) => [n, spread(results.map((r) => r[n]).filter((v): v is number => v !== undefined))]),
    );
    const { mean, std, min } = figures[first]!;
    return { age, compensation, mean, std, worst: min, figures };
  });
  const special = { ...(wireOhm > 0 && { wireOhm }), ...(Object.keys(chips).length > 0 && { chips }) };
  return { device: device.name, ...special, seeds, digital, analog };
};
