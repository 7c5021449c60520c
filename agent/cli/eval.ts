import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { deviceByName, devices } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import type { DoubtPolicy } from "../../models/model.ts";
import type { Graph } from "../../models/network/graph.ts";
import { runningForm } from "../../models/running-form.ts";
import { hardwareText } from "../chip-hardware.ts";
import type { Fold } from "../datasets/recipe.ts";
import { ChipThreads } from "../evaluation/chip-threads.ts";
import type { Task } from "../evaluation/figures.ts";
import { type Compensation, type Lifetime, type LifetimeOptions, measureLifetime } from "../evaluation/lifetime.ts";
import { openTask } from "../evaluation/task.ts";
import { modelBytes, usingModel } from "../models.ts";
import { progressLine } from "../terminal/progress.ts";
import { type HardwareOptions, hardwareOf, withHardwareOptions } from "./hardware-options.ts";
import { age, integerIn, numberIn } from "./options.ts";

interface EvalOptions extends HardwareOptions {
  readonly model: string;
  readonly data: string;
  readonly device: string[];
  readonly age: { name: string; seconds: number }[];
  readonly compensation: Compensation[];
  readonly doubt: DoubtPolicy[];
  readonly sigmas: number;
  readonly reads: number;
  readonly seeds: number;
  readonly wires: number;
  readonly out?: string;
  readonly json?: boolean;
}

const ages = (text: string): EvalOptions["age"] =>
  text.split(",").map((name) => ({ name: name.trim(), seconds: age(name.trim()) }));

const deviceNames = (text: string): string[] =>
  text.split(",").map((name) => {
    const known = devices.map((device) => device.name);
    if (known.includes(name)) return name;
    throw new InvalidArgumentError(`expected names out of ${known.join(", ")}, got ${JSON.stringify(name)}`);
  });

const compensations = (text: string): Compensation[] =>
  text.split(",").map((name) => {
    if (name === "none" || name === "global" || name === "per-column") return name;
    throw new InvalidArgumentError(`expected none, global or per-column, got ${JSON.stringify(name)}`);
  });

const doubts = (text: string): DoubtPolicy[] =>
  text.split(",").map((name) => {
    if (name === "mark" || name === "repeat" || name === "digital") return name;
    throw new InvalidArgumentError(`expected mark, repeat or digital, got ${JSON.stringify(name)}`);
  });

/** `eval`: how good a model is, digital and on chips that age. */
export const evalCommand = (): Command =>
  withHardwareOptions(evalOnly())
    .addOption(
      new Option("--input-coding <way>", "how inputs come to devices that are not linear").choices([
        "amplitude",
        "pulse-width",
      ]),
    )
    .addHelpText(
      "after",
      `
Examples:
  ohmwatch eval --model ecg-beats --data ../shared/data --age 0s,1d --seeds 5
  ohmwatch eval --model ecg-beats --data ../shared/data --pairs 2 --write-verify 0.02 --stuck-low 0.01`,
    )
    .action(evaluate);

const evalOnly = (): Command =>
  new Command("eval")
    .description("measure a model on recordings it was not trained on: digital, and on simulated chips over their age")
    .requiredOption("--model <name>", "model of the zoo by name, or an .onnx file")
    .requiredOption("--data <path>", "folder of the recordings")
    .addOption(
      new Option("--device <list>", "device models of the chips")
        .argParser(deviceNames)
        .default(["pcm-nandakumar-2019"], "pcm-nandakumar-2019"),
    )
    .addOption(new Option("--age <list>", "ages since programming").argParser(ages).default(ages("0s,1d"), "0s,1d"))
    .addOption(
      new Option("--compensation <list>", "of drift: none, global, per-column")
        .argParser(compensations)
        .default(compensations("none,global"), "none,global"),
    )
    .addOption(
      new Option("--doubt <list>", "of answers within the chip's noise: mark, repeat, digital")
        .argParser(doubts)
        .default([], "not looked for"),
    )
    .option("--sigmas <n>", "margins below so many standard deviations are in doubt", numberIn(0, 100), 2)
    .option("--reads <n>", "reads of a repeated answer", integerIn(2, 1000), 8)
    .option("--seeds <n>", "number of chips of each device", integerIn(1, 1000), 5)
    .option("--wires <ohm>", "resistance of each segment of the word and bit lines", numberIn(0, 1e6), 0)
    .option("--out <file>", "write the JSON there too")
    .option("--json", "one JSON object on stdout");

const evaluate = async (options: EvalOptions): Promise<void> => {
  const { device: names, age: agesSeconds, compensation, seeds, wires: wireOhm, doubt, sigmas, reads } = options;
  const kinds = names.map((device) => ({ device, ...hardwareOf(options, deviceByName(device)) }));
  const model = modelBytes(options.model);
  const { graph, manifest } = parseModel(model);
  const task = await openTask(manifest, options.data);
  const lifetime = await measureInThreads(
    { name: options.model, model, graph, task, data: options.data },
    {
      ...{ kinds, agesSeconds, compensations: compensation, seeds, wireOhm },
      ...{ doubts: doubt, sigmas, reads },
    },
  );
  const report = evaluationReport(manifest.name, task, lifetime);
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (options.out) writeFileSync(options.out, text);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : table(report));
};

/** Measure a model on chips in threads, with a line of progress. */
export const measureInThreads = async (
  { name, model, graph, task, data, fold, most }: MeasuredModel,
  options: LifetimeOptions,
): Promise<Lifetime> => {
  const chips = options.kinds.length * options.seeds;
  const all = chips * options.agesSeconds.length * options.compensations.length * (1 + (options.doubts?.length ?? 0));
  const progress = progressLine(`${name} on ${options.kinds.map(({ device }) => device).join(", ")}`);
  let done = 0;
  const threads = new ChipThreads({ model, data, fold, most }, chips, () => progress.update(++done, all));
  try {
    return await measureLifetime(runningForm(graph, parseModel(model).manifest), task, options, threads.measure);
  } catch (error) {
    return usingModel(name, () => {
      throw error;
    });
  } finally {
    progress.end();
    await threads.close();
  }
};

interface MeasuredModel {
  readonly name: string;
  readonly model: Uint8Array;
  readonly graph: Graph;
  readonly task: Task;
  /** As `openTask` took it. */
  readonly data: string;
  readonly fold?: Fold | undefined;
  /** Where `task` is a part of the whole: of how many samples at most. */
  readonly most?: number;
}

/** What `eval` prints and `evaluation.json` holds. */
export const evaluationReport = (model: string, task: { data: string; samples: number }, lifetime: Lifetime) => {
  const { digital, ...rest } = lifetime;
  const { numbers, detail } = digital;
  return { model, data: task.data, samples: task.samples, digital: { ...numbers, ...(detail && { detail }) }, ...rest };
};

const table = (report: ReturnType<typeof evaluationReport>): string => {
  const { model, data, samples, digital, wireOhm, chips, seeds, analog } = report;
  const { detail: _, ...numbers } = digital;
  const shown = Object.entries(numbers as Record<string, number>).map(([k, v]) =>
    k.endsWith("Percent") ? `${k} ${v.toFixed(1)}` : `${k} ${(100 * v).toFixed(2)} %`,
  );
  const first = Object.keys(numbers)[0];
  const rows = (of: string) =>
    analog.flatMap(({ device, age: old, compensation, doubt, mean, std, worst, figures }) => {
      if (device !== of) return [];
      const figure = `${(100 * mean).toFixed(2)} ± ${(100 * std).toFixed(2)} %, worst ${(100 * worst).toFixed(2)} %`;
      const row = `  ${old.padStart(6)}  ${compensation.padEnd(11)} ${first} ${figure}`;
      if (doubt === undefined) return row;
      const others = figures["accuracy of the others"];
      const reads = figures["reads"] ? `, ${figures["reads"].mean.toFixed(2)} reads an answer` : "";
      const rest = others ? `, the others ${(100 * others.mean).toFixed(2)} %${reads}` : "";
      return `${row}; ${doubt}: ${(100 * figures["doubted"]!.mean).toFixed(1)} % in doubt${rest}`;
    });
  return [
    `${model}: ${data} (${samples} samples)`,
    `digital: ${shown.join(", ")}`,
    ...[...new Set(analog.map((row) => row.device))].flatMap((of) => [
      `${[`${of}, ${seeds} chips`, wireOhm && `wires of ${wireOhm} Ω a segment`, chips && hardwareText(chips)].filter(Boolean).join(", ")}:`,
      ...rows(of),
    ]),
    "",
  ].join("\n");
};
