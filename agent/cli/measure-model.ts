import { writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Model } from "../../models/model.ts";
import type { Graph } from "../../models/network/graph.ts";
import type { Fold, Recipe } from "../datasets/recipe.ts";
import { agesChart } from "../evaluation/ages-chart.ts";
import type { ShippedModel } from "../evaluation/bring-recipe.ts";
import { modelCard } from "../evaluation/card.ts";
import { type DoubtReport, doubtPolicies, doubtReport } from "../evaluation/doubt-report.ts";
import { countFalseAlarms, type RaisedReport, recordingsAt } from "../evaluation/false-alarms.ts";
import type { AgedFigures } from "../evaluation/lifetime.ts";
import { keywordFolder, openTask } from "../evaluation/task.ts";
import { wordsHeard } from "../evaluation/words-heard.ts";
import { openModel } from "../models.ts";
import { chipOf } from "./chip-options.ts";
import { evaluationReport, measureInThreads } from "./eval.ts";
import { age, numberIn } from "./options.ts";

/** Recordings with nothing to find in them, and by how many dB each is made louder. */
export interface QuietFolder {
  readonly path: string;
  readonly levels: readonly number[];
}

/** Figures of a net that was trained without a part of the recordings, on that part. */
export interface FoldReport {
  readonly leftOut: Fold;
  readonly samples: number;
  readonly digital: Readonly<Record<string, number>>;
  readonly confusion: readonly (readonly number[])[];
  readonly analog: readonly AgedFigures[];
}

/** Devices and ages that a fresh model is measured on. */
const devices = ["pcm-nandakumar-2019", "rram-wan-2022"];
export const measuredKinds = devices.map((device) => ({ device }));
const agesNamed = (...names: string[]) => names.map((name) => ({ name, seconds: age(name) }));
const ages = agesNamed("0s", "1h", "1d", "30d", "1y");

/** Where answers are doubted: so many chips of each device and samples are enough to see what it buys. */
const doubted = { agesSeconds: agesNamed("1d", "1y"), seeds: 3, samples: 1000, sigmas: 2, reads: 8 };

/** A folder, and after an `@` the levels: `noise@-20,0`. */
export const quietFolder = (text: string): QuietFolder => {
  const [, path, levels = "0"] = /^(.*?)(?:@([-\d.,]+))?$/.exec(text)!;
  return { path: path!, levels: levels.split(",").map(numberIn(-120, 120)) };
};

/** Write a model into a folder and measure it there: `evaluation.json`, `ages.svg`, `card.md`. */
export const measureModel = async (
  recipe: Recipe,
  { graph, manifest, bytes: model }: ShippedModel,
  folds: readonly FoldReport[],
  {
    data,
    out,
    seeds,
    falseAlarms,
  }: {
    readonly data: string;
    readonly out: string;
    readonly seeds: number;
    readonly falseAlarms: readonly QuietFolder[];
  },
): Promise<void> => {
  writeFileSync(join(out, "model.onnx"), model);
  process.stderr.write(`${recipe.name}: measuring on ${seeds} chips of each of ${devices.join(", ")}\n`);
  const task = await openTask(manifest, data);
  const measured = { name: recipe.name, model, graph, data };
  const lifetime = await measureInThreads(
    { ...measured, task },
    { kinds: measuredKinds, agesSeconds: ages, compensations: ["none", "global", "per-column"], seeds },
  );
  let doubt: DoubtReport | undefined;
  if (manifest.task === "classifier" && task.part) {
    const { samples: most, ...how } = doubted;
    const part = { ...measured, task: task.part(most), most };
    const options = { ...how, kinds: measuredKinds, compensations: ["global" as const], doubts: doubtPolicies };
    doubt = doubtReport(part.task, options, await measureInThreads(part, options));
  }
  const raised: RaisedReport[] = [];
  for (const chip of raisedOn) {
    if (falseAlarms.length === 0) break;
    process.stderr.write(`${recipe.name}: what its rules raise on ${chip.device}\n`);
    raised.push(await raisedBy(openModel(join(out, "model.onnx"), chipOf(chip)), chip, falseAlarms, data));
  }
  const report = {
    ...evaluationReport(recipe.name, task, lifetime),
    ...(doubt && { doubt }),
    ...(raised.length > 0 && { raised }),
    ...(folds.length > 0 && { folds }),
  };
  writeFileSync(join(out, "evaluation.json"), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(out, "ages.svg"), agesChart(recipe.name, lifetime));
  const command = `ohmwatch eval --model ${recipe.name} --data DIR --device ${devices.join(",")} --age ${ages.map(({ name }) => name).join(",")} --compensation none,global,per-column --seeds ${seeds}`;
  const facts = { ...sizeOfModel(graph, manifest.mapping), data: task.data, command };
  const card = modelCard(manifest, recipe.summary, facts, { lifetime, folds, doubt, raised });
  writeFileSync(join(out, "card.md"), card);
  process.stdout.write(card);
};

/** Without a chip, and on one of phase-change memory a day old. */
const raisedOn = [
  { device: "digital", age: 0, compensation: "global", seed: 1 },
  { device: devices[0]!, age: age("1d"), compensation: "global", seed: 1 },
] as const;

const raisedBy = async (
  model: Model,
  { device, age: ageSeconds }: (typeof raisedOn)[number],
  folders: readonly QuietFolder[],
  data: string,
): Promise<RaisedReport> => {
  const { manifest } = model;
  const nothing: RaisedReport["nothing"][number][] = [];
  for (const { path, levels } of folders) {
    const recordings = basename(resolve(path));
    nothing.push({ recordings, levels, ...(await countFalseAlarms(model, recordingsAt(path), levels)) });
  }
  const words = manifest.modality === "audio" && (await wordsHeard(model, keywordFolder(manifest, data)));
  return { device, ageSeconds, nothing, ...(words && { words }) };
};

/** Weights on the crossbar and the tiles that they take. */
const sizeOfModel = (
  graph: Graph,
  { ranges }: { ranges: Readonly<Record<string, { tileOutputMax: readonly number[] }>> },
) => ({
  weights: graph.nodes.reduce(
    (sum, node) =>
      sum + ("weights" in node ? node.weights.length : 0) + (node.kind === "gru" ? node.recurrent.length : 0),
    0,
  ),
  tiles: Object.values(ranges).reduce((sum, { tileOutputMax }) => sum + tileOutputMax.length, 0),
});
