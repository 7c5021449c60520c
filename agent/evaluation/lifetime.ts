import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { DoubtPolicy } from "../../models/model.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import type { Network } from "../../models/network/network.ts";
import { runningForm } from "../../models/running-form.ts";
import { ageAt, type ChipHardware, networkOptionsOf } from "../chip-hardware.ts";
import { compareAnswers } from "../upkeep/answer-noise.ts";
import type { Figures, Task } from "./figures.ts";
import { spread } from "./metrics.ts";

export type Compensation = "none" | "global" | "per-column";

/** Chips of one kind: their device model, and how they differ from plain ones. */
export interface ChipKind extends ChipHardware {
  readonly device: string;
}

export interface LifetimeOptions {
  readonly kinds: readonly ChipKind[];
  readonly agesSeconds: readonly { readonly name: string; readonly seconds: number }[];
  readonly compensations: readonly Compensation[];
  /** Chips with the seeds 1 … n of each device. */
  readonly seeds: number;
  /** What is done with answers within the noise; left out: nothing, and they are not looked for. */
  readonly doubts?: readonly DoubtPolicy[];
  readonly sigmas?: number;
  readonly reads?: number;
  /** Resistance of each segment of their word and bit lines, Ω; 0: none. */
  readonly wireOhm?: number;
}

/** Mean, spread and worst of each figure over the chips of a device, at one age with one compensation. */
export interface AgedFigures {
  readonly device: string;
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
  /** Of each segment, Ω; left out: none. */
  readonly wireOhm?: number;
  /** How the chips differ from plain ones; left out: not at all. */
  readonly chips?: ChipHardware;
  readonly seeds: number;
  readonly digital: Figures;
  readonly analog: readonly AgedFigures[];
}

/** One chip to be measured at all ages. */
export interface ChipJob {
  readonly kind: ChipKind;
  readonly seed: number;
  readonly options: LifetimeOptions;
}

type Numbers = Figures["numbers"];

/** The figures of one chip: ages in turn, at each age the compensations, with each the ways with doubt. */
export const measureChip = (
  graph: Graph,
  manifest: Manifest,
  task: Task,
  { kind, seed, options }: ChipJob,
  onScore: () => void = () => {},
): Numbers[] => {
  const { agesSeconds, compensations, wireOhm = 0, doubts = [], sigmas = 2, reads = 8 } = options;
  const device = deviceByName(kind.device);
  const chip = new AnalogNetwork(runningForm(graph, manifest), {
    device,
    seed,
    mapping: manifest.mapping,
    kernel: "simd",
    ...(wireOhm > 0 && { wires: { wordLineOhm: wireOhm, bitLineOhm: wireOhm, layout: "separate" as const } }),
    ...networkOptionsOf(kind),
  });
  const twin = new DigitalNetwork(runningForm(graph, manifest), { kernel: "simd" });
  const inputs = doubts.length > 0 ? someInputs(task, twin) : [];
  return agesSeconds.flatMap(({ seconds }) => {
    ageAt(chip, device, seconds, kind);
    return compensations.flatMap((compensation) => {
      chip.calibrate(compensation);
      const noise = inputs.length > 0 ? compareAnswers(chip, twin, manifest.task, inputs, 4).noise : undefined;
      return [undefined, ...doubts].map((policy) => {
        const doubt = policy && { policy, sigmas, reads, twin, noise: () => noise, mayAnswer: () => true };
        const { numbers } = task.score(chip, doubt);
        onScore();
        return numbers;
      });
    });
  });
};

/**
 * Measure a model on digital arithmetic and on simulated chips over their age: each seed programmes one chip, which
 * then ages; each compensation is measured at each age. The result is the same wherever the chips are measured.
 *
 * @param measure gives the figures of one chip, as `measureChip` does
 */
export const measureLifetime = async (
  graph: Graph,
  task: Task,
  options: LifetimeOptions,
  measure: (job: ChipJob) => Numbers[] | Promise<Numbers[]>,
): Promise<Lifetime> => {
  const { kinds, agesSeconds, compensations, seeds, wireOhm = 0, doubts = [] } = options;
  const ways = [undefined, ...doubts];
  const chips = kinds.flatMap((kind) =>
    Array.from({ length: seeds }, (_, i) => measure({ kind, seed: i + 1, options })),
  );
  const digital = task.score(new DigitalNetwork(graph, { kernel: "simd" }));
  const measured = await Promise.all(chips);
  const first = Object.keys(digital.numbers)[0]!;
  const analog = kinds.flatMap(({ device }, d) =>
    agesSeconds.flatMap(({ name: age }, a) =>
      compensations.flatMap((compensation, c) =>
        ways.map((doubt, w): AgedFigures => {
          const at = (a * compensations.length + c) * ways.length + w;
          const figures = spreads(measured.slice(d * seeds, (d + 1) * seeds).map((chip) => chip[at]!));
          const { mean, std, min } = figures[first]!;
          return { device, age, compensation, ...(doubt && { doubt }), mean, std, worst: min, figures };
        }),
      ),
    ),
  );
  const { device: _, ...hardware } = kinds[0]!;
  const differs = Object.keys(hardware).length > 0;
  return { ...(wireOhm > 0 && { wireOhm }), ...(differs && { chips: hardware }), seeds, digital, analog };
};

const spreads = (results: readonly Numbers[]): AgedFigures["figures"] => {
  const names = [...new Set(results.flatMap((r) => Object.keys(r)))];
  return Object.fromEntries(
    names.map((n) => [n, spread(results.map((r) => r[n]).filter((v): v is number => v !== undefined))]),
  );
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
