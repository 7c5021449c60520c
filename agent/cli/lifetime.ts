import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { runningForm } from "../../models/running-form.ts";
import { configSchema } from "../config/schema.ts";
import { lifetimePlot } from "../drawing/lifetime-plot.ts";
import { type LifeReport, lifePage } from "../evaluation/life-page.ts";
import { liveThrough, streamSample } from "../evaluation/long-life.ts";
import { stuckReport } from "../evaluation/stuck-devices.ts";
import { openTask } from "../evaluation/task.ts";
import { modelBytes, zooNames } from "../models.ts";
import { progressLine } from "../terminal/progress.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, numberIn } from "./options.ts";

interface LifetimeCommandOptions {
  readonly data?: string;
  readonly from?: string;
  readonly model: string[];
  readonly device: string[];
  readonly samples: number;
  readonly seeds: number;
  readonly stuck: number;
  readonly out?: string;
  readonly json?: boolean;
}

const list = (text: string): string[] => text.split(",").map((name) => name.trim());
const day = 86_400;
const ages = [0, day, 30 * day, 365 * day, 3650 * day];

/** Three ways to look after a chip, from the least to the most. Calibrations are at most 30 days apart. */
const policies = [
  { name: "no upkeep", compensation: "none", policy: "none" },
  { name: "global compensation", compensation: "global", policy: "compensate" },
  { name: "full policy", compensation: "global", policy: "full" },
] as const;

/** `lifetime`: ten years of chips in minutes, without upkeep and with it. */
export const lifetimeCommand = (): Command =>
  new Command("lifetime")
    .description("let chips live for ten years, without upkeep and with it, and measure what that loses and costs")
    .option("--data <path>", "folder of the recordings")
    .option("--from <file>", "run nothing: take the reports that earlier calls gave with --json, one a line")
    .option("--model <list>", "models, by default all of the zoo", list, [...zooNames()])
    .option("--device <list>", "device models", list, ["pcm-nandakumar-2019", "rram-wan-2022"])
    .option("--samples <n>", "of the recordings at most so many, evenly", integerIn(10, 1e6), 1000)
    .option("--seeds <n>", "number of chips", integerIn(1, 100), 2)
    .option("--stuck <part>", "also: so many devices stuck at random, and self-test", numberIn(0, 0.5), 0.005)
    .option("--out <dir>", "write lifetime.md and a picture a model there")
    .option("--json", "one JSON object a model and device")
    .addHelpText(
      "after",
      [
        "\nExamples:\n  ohmwatch lifetime --data ../shared/data --model bearing-faults --samples 500",
        "  ohmwatch lifetime --data ../shared/data --model digits-mlp --json >> lives.jsonl",
        "  ohmwatch lifetime --from lives.jsonl --out docs",
      ].join("\n"),
    )
    .action(async (options: LifetimeCommandOptions) => {
      const { data, from } = options;
      const reports: LifeReport[] = [];
      const tell = (report: LifeReport): void => {
        reports.push(report);
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${lifePage([report], "text")}\n`);
      };
      if (data !== undefined && from === undefined) {
        for (const name of options.model) {
          for (const device of options.device) tell(await reportOf(name, device, data, options));
        }
      } else if (from !== undefined && data === undefined) readReports(from).forEach(tell);
      else throw new ExitError("lifetime: expected either --data or --from.", exitCodes.usage);
      if (options.out !== undefined) writeLifePage(options.out, reports);
    });

/** Reports of `--json`, one a line. @throws ExitError for a file that holds something else */
const readReports = (file: string): LifeReport[] => {
  if (!existsSync(file)) throw new ExitError(`${file}: expected a file of reports, got none.`, exitCodes.noInput);
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, n) => {
    if (line.trim() === "") return [];
    try {
      const report = JSON.parse(line) as LifeReport;
      if (Array.isArray(report.lives) && typeof report.model === "string") return [report];
    } catch {
      // told below
    }
    const wanted = "a report of `ohmwatch lifetime --json`";
    throw new ExitError(`${file}, line ${n + 1}: expected ${wanted}, got ${line.slice(0, 40)}.`, exitCodes.badData);
  });
};

const reportOf = async (
  name: string,
  device: string,
  folder: string,
  options: LifetimeCommandOptions,
): Promise<LifeReport> => {
  const { graph: given, manifest } = parseModel(modelBytes(name));
  const graph = runningForm(given, manifest);
  const whole = await openTask(manifest, folder);
  const task = whole.part?.(options.samples) ?? whole;
  const twin = new DigitalNetwork(graph, { kernel: "simd" });
  const sample = streamSample(manifest, task, twin);
  const digital = task.score(twin).numbers;
  const figure = Object.keys(digital)[0]!;
  const planOf = (seed: number) => ({
    ...{ graph, manifest, seed, device: deviceByName(device), kernel: "simd" as const },
  });
  const progress = progressLine(`${name} on ${device}`);
  let done = 0;
  const all = policies.length * options.seeds * ages.length;
  const lives = policies.map(({ name: called, compensation, policy }) => {
    const settings = configSchema.shape.chip.parse({ compensation, upkeep: { policy, everySeconds: 30 * day } });
    const seeds = Array.from({ length: options.seeds }, (_, i) => i + 1);
    return {
      policy: called,
      lives: seeds.map((seed) =>
        liveThrough(planOf(seed), task, sample, settings, ages, () => progress.update(++done, all)),
      ),
    };
  });
  const stuck = options.stuck > 0 ? stuckReport(planOf(1), task, options.stuck) : undefined;
  progress.end();
  const { data, samples } = task;
  const { inferencesPerSecond } = sample;
  return {
    ...{ model: name, device, data, samples, figure, digital: digital[figure]!, inferencesPerSecond, lives },
    ...(stuck && { stuck: { rate: options.stuck, ...stuck } }),
  };
};

/** Write the page and a picture a model. */
export const writeLifePage = (folder: string, reports: readonly LifeReport[]): void => {
  for (const model of new Set(reports.map((report) => report.model))) {
    const mine = reports.filter((report) => report.model === model);
    const panels = mine.map(({ device, lives }) => ({
      title: device,
      curves: lives.map(({ policy, lives: chips }) => ({
        name: policy,
        points: chips[0]!.rows.map(({ ageSeconds }, r) => ({
          ageSeconds,
          figure: chips.reduce((sum, { rows }) => sum + rows[r]!.figure, 0) / chips.length,
        })),
      })),
    }));
    writeFileSync(join(folder, `lifetime-${model}.svg`), lifetimePlot(model, mine[0]!.figure, panels));
  }
  writeFileSync(join(folder, "lifetime.md"), lifePage(reports, "page"));
};
