import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { deviceByName, devices } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import type { DoubtPolicy } from "../../models/model.ts";
import { hardwareText } from "../chip-hardware.ts";
import { type Compensation, type Lifetime, measureLifetime } from "../evaluation/lifetime.ts";
import { openTask } from "../evaluation/task.ts";
import { modelBytes, usingModel } from "../models.ts";
import { progressLine } from "../terminal/progress.ts";
import { type HardwareOptions, hardwareOf, withHardwareOptions } from "./hardware-options.ts";
import { age, integerIn, numberIn } from "./options.ts";

interface EvalOptions extends HardwareOptions {
  readonly model: string;
  readonly data: string;
  readonly device: string;
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
      new Option("--device <name>", "device model of the chips")
        .choices(devices.map(({ name }) => name))
        .default("pcm-nandakumar-2019"),
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
    .option("--seeds <n>", "number of chips", integerIn(1, 1000), 5)
    .option("--wires <ohm>", "resistance of each segment of the word and bit lines", numberIn(0, 1e6), 0)
    .option("--out <file>", "write the JSON there too")
    .option("--json", "one JSON object on stdout");

const evaluate = async (options: EvalOptions): Promise<void> => {
  const chips = hardwareOf(options, deviceByName(options.device));
  const { graph, manifest } = parseModel(modelBytes(options.model));
  const task = await openTask(manifest, options.data);
  const { device, age: agesSeconds, compensation, seeds, wires: wireOhm, doubt, sigmas, reads } = options;
  const progress = progressLine(`${manifest.name} on ${device}`);
  const asked = {
    ...{ device, agesSeconds, compensations: compensation, seeds, wireOhm },
    ...{ doubts: doubt, sigmas, reads },
    ...chips,
  };
  const lifetime = usingModel(options.model, () => measureLifetime(graph, manifest, task, asked, progress.update));
  progress.end();
  const report = evaluationReport(manifest.name, task, lifetime);
  const text = `${JSON.stringify(report, null, 1)}\n`;
  if (options.out) writeFileSync(options.out, text);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : table(report));
};

/** What `eval` prints and `evaluation.json` holds. */
export const evaluationReport = (model: string, task: { data: string; samples: number }, lifetime: Lifetime) => {
  const { digital, ...rest } = lifetime;
  const { numbers, detail } = digital;
  return { model, data: task.data, samples: task.samples, digital: { ...numbers, ...(detail && { detail }) }, ...rest };
};

const table = ({
  model,
  data,
  samples,
  digital,
  device,
  wireOhm,
  chips,
  seeds,
  analog,
}: ReturnType<typeof evaluationReport>): string => {
  const { detail: _, ...numbers } = digital;
  const shown = Object.entries(numbers as Record<string, number>).map(([k, v]) =>
    k.endsWith("Percent") ? `${k} ${v.toFixed(1)}` : `${k} ${(100 * v).toFixed(2)} %`,
  );
  const first = Object.keys(numbers)[0];
  const rows = analog.map(({ age: old, compensation, doubt, mean, std, worst, figures }) => {
    const figure = `${(100 * mean).toFixed(2)} ± ${(100 * std).toFixed(2)} %, worst ${(100 * worst).toFixed(2)} %`;
    const row = `  ${old.padStart(6)}  ${compensation.padEnd(11)} ${first} ${figure}`;
    if (doubt === undefined) return row;
    const others = figures["accuracy of the others"];
    const rest = others ? `, the others ${(100 * others.mean).toFixed(2)} %` : "";
    return `${row}; ${doubt}: ${(100 * figures["doubted"]!.mean).toFixed(1)} % in doubt${rest}`;
  });
  return [
    `${model}: ${data} (${samples} samples)`,
    `digital: ${shown.join(", ")}`,
    `${[`${device}, ${seeds} chips`, wireOhm && `wires of ${wireOhm} Ω a segment`, chips && hardwareText(chips)].filter(Boolean).join(", ")}:`,
    ...rows,
    "",
  ].join("\n");
};
