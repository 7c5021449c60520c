import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Command } from "commander";
import type { Graph } from "../../models/network/graph.ts";
import type { NetSpec } from "../../models/training/specification.ts";
import { type TrainOptions, train } from "../../models/training/trainer.ts";
import { prepare } from "../datasets/prepare.ts";
import { type Recipe, readRecipe } from "../datasets/recipe.ts";
import { modelCard } from "../evaluation/card.ts";
import { lineChart } from "../evaluation/curves.ts";
import { measureLifetime } from "../evaluation/lifetime.ts";
import { makeModel } from "../evaluation/make-model.ts";
import { openTask } from "../evaluation/task.ts";
import { progressLine } from "../terminal/progress.ts";
import { evaluationReport } from "./eval.ts";
import { age, integerIn } from "./options.ts";

interface TrainCommandOptions {
  readonly data: string;
  readonly out: string;
  readonly seeds: number;
}

/** Ages at which a fresh model is measured. */
const ages = ["0s", "1h", "1d", "30d", "1y"];

/** `train`: recordings and a recipe → a model, its card and its evaluation. */
export const trainCommand = (): Command =>
  new Command("train")
    .description("train a model by a recipe, then measure it on chips that age; resumes where it was interrupted")
    .argument("<recipe>", "recipe, as models/zoo/*/recipe.yaml")
    .requiredOption("--data <path>", "folder of the recordings")
    .requiredOption("--out <dir>", "where model.onnx, card.md, evaluation.json and curves.svg go")
    .option("--seeds <n>", "chips that the evaluation programmes", integerIn(1, 1000), 5)
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch train models/zoo/pump-anomaly/recipe.yaml --data ../shared/data --out out/pump-anomaly",
    )
    .action(async (path: string, options: TrainCommandOptions) => {
      const recipe = readRecipe(path);
      mkdirSync(options.out, { recursive: true });
      const say = (text: string) => process.stderr.write(`${text}\n`);
      say(`${recipe.name}: reading recordings`);
      const prepared = await prepare(recipe, options.data);
      say(`${recipe.name}: ${prepared.training.count} to train on, ${prepared.validation.count} to choose by`);

      const checkpoint = join(options.out, "checkpoint.bin");
      const net = { name: recipe.name, input: recipe.input.shape, layers: recipe.net.layers } as unknown as NetSpec;
      const settings = { ...withTeacher(recipe, path), ...(prepared.augment && { augment: prepared.augment }) };
      const progress = progressLine(recipe.name);
      const { graph, history, inputMax } = await train(
        net,
        prepared.training,
        prepared.validation,
        settings as TrainOptions,
        {
          nowMs: () => performance.now(),
          ...(existsSync(checkpoint) && { resume: readFileSync(checkpoint) }),
          onProgress: ({ epoch, epochs, step, stepsPerEpoch, loss, samplesPerSecond, remainingSeconds }) =>
            progress.update(
              epoch * stepsPerEpoch + step,
              epochs * stepsPerEpoch,
              `loss ${loss.toFixed(3)}, ${samplesPerSecond?.toFixed(0) ?? "–"} samples/s, ${remainingSeconds?.toFixed(0) ?? "–"} s left`,
            ),
          onCheckpoint: (bytes, e) => {
            writeFileSync(`${checkpoint}.new`, bytes);
            renameSync(`${checkpoint}.new`, checkpoint);
            progress.end();
            say(
              `pass ${e.epoch + 1}: training loss ${e.trainingLoss.toFixed(4)}, validation loss ${e.validationLoss.toFixed(4)}${recipe.task === "classifier" ? `, accuracy ${(100 * e.validationAccuracy).toFixed(2)} %` : ""}`,
            );
          },
        },
      );
      progress.end();

      const made = makeModel(
        graph,
        recipe,
        prepared.input,
        prepared.calibration,
        {
          recipe: "recipe.yaml",
          seed: recipe.training.seed,
          command: `ohmwatch train ${relative(process.cwd(), path)} --data DIR --out DIR`,
          data: recipe.data,
        },
        inputMax,
      );
      writeFileSync(join(options.out, "model.onnx"), made.bytes);
      writeFileSync(join(options.out, "curves.svg"), curvesOf(recipe, history));
      await evaluate(recipe, made, options, say);
      rmSync(checkpoint, { force: true });
    });

/** The settings of training, with the bytes of the teacher that a recipe names by a path from its own folder. */
const withTeacher = ({ training }: Recipe, path: string): Recipe["training"] => {
  const distillation = training["distillation"] as { teacher?: unknown } | undefined;
  if (typeof distillation?.teacher !== "string") return training;
  const teacher = new Uint8Array(readFileSync(resolve(dirname(path), distillation.teacher)));
  return { ...training, distillation: { ...distillation, teacher } };
};

const evaluate = async (
  recipe: Recipe,
  { graph, manifest }: ReturnType<typeof makeModel>,
  { data, out, seeds }: TrainCommandOptions,
  say: (text: string) => void,
): Promise<void> => {
  say(`${recipe.name}: measuring on ${seeds} chips`);
  const task = await openTask(manifest, data);
  const lifetime = measureLifetime(graph, manifest, task, {
    device: "pcm-nandakumar-2019",
    agesSeconds: ages.map((name) => ({ name, seconds: age(name) })),
    compensations: ["none", "global"],
    seeds,
  });
  writeFileSync(
    join(out, "evaluation.json"),
    `${JSON.stringify(evaluationReport(recipe.name, task, lifetime), null, 1)}\n`,
  );
  const command = `ohmwatch eval --model ${recipe.name} --data DIR --age ${ages.join(",")} --seeds ${seeds}`;
  const facts = { ...sizeOfModel(graph, manifest.mapping), data: task.data, command };
  const card = modelCard(manifest, recipe.summary, facts, lifetime);
  writeFileSync(join(out, "card.md"), card);
  process.stdout.write(card);
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

const curvesOf = (recipe: Recipe, history: Awaited<ReturnType<typeof train>>["history"]): string =>
  lineChart(`${recipe.name}: ${recipe.task === "autoencoder" ? "loss" : "accuracy"}`, "pass", [
    {
      name: "training",
      points: history.map((e) => [e.epoch + 1, recipe.task === "autoencoder" ? e.trainingLoss : e.trainingAccuracy]),
    },
    {
      name: "validation",
      points: history.map((e) => [
        e.epoch + 1,
        recipe.task === "autoencoder" ? e.validationLoss : e.validationAccuracy,
      ]),
    },
  ]);
