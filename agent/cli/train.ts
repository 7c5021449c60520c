import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import type { InputContract } from "../../models/manifest.ts";
import { committeeOf } from "../../models/training/committee.ts";
import type { NetSpec } from "../../models/training/specification.ts";
import { type Trained, type TrainOptions, train } from "../../models/training/trainer.ts";
import { type Prepared, prepare, type ReadBefore } from "../datasets/prepare.ts";
import { type Fold, foldsOf, type Recipe, readRecipe } from "../datasets/recipe.ts";
import { bringRecipe } from "../evaluation/bring-recipe.ts";
import { lineChart } from "../evaluation/curves.ts";
import { withThreshold } from "../evaluation/forecast-threshold.ts";
import { makeModel } from "../evaluation/make-model.ts";
import { openTask } from "../evaluation/task.ts";
import { usingModel } from "../models.ts";
import { progressLine } from "../terminal/progress.ts";
import { measureInThreads } from "./eval.ts";
import { type FoldReport, measuredKinds, measureModel, type QuietFolder, quietFolder } from "./measure-model.ts";
import { age, integerIn } from "./options.ts";

interface TrainCommandOptions {
  readonly data: string;
  readonly out: string;
  readonly seeds: number;
  readonly measure?: boolean;
  readonly falseAlarms: readonly QuietFolder[];
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** `train`: recordings and a recipe → a model, its card and its evaluation. */
export const trainCommand = (): Command =>
  new Command("train")
    .description("train a model by a recipe, then measure it on chips that age; resumes where it was interrupted")
    .argument("<recipe>", "recipe, as models/zoo/*/recipe.yaml")
    .requiredOption("--data <path>", "folder of the recordings")
    .requiredOption("--out <dir>", "where model.onnx, card.md, evaluation.json, curves.svg and ages.svg go")
    .option("--seeds <n>", "chips of each device that the evaluation programmes", integerIn(1, 1000), 10)
    .option(
      "--measure",
      "train nothing: bring version and decisions of the recipe into the model in --out, measure it again",
    )
    .addOption(
      new Option(
        "--false-alarms <folder...>",
        "recordings with nothing to find, whose alarms are counted; FOLDER@-20,0 makes them louder by so many dB",
      )
        .argParser((text: string, before: readonly QuietFolder[]) => [...before, quietFolder(text)])
        .default([], "none"),
    )
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch train models/zoo/pump-anomaly/recipe.yaml --data ../shared/data --out out/pump-anomaly",
    )
    .action(async (path: string, options: TrainCommandOptions) => {
      const recipe = readRecipe(path);
      const { out, data } = options;
      if (options.measure) {
        const before = readFileSync(join(out, "model.onnx"));
        const model = usingModel(recipe.name, () => bringRecipe(recipe, before));
        return measureModel(recipe, model, foldsIn(join(out, "evaluation.json")), options);
      }
      mkdirSync(out, { recursive: true });
      const command = `ohmwatch train ${relative(process.cwd(), path)} --data DIR --out DIR`;
      const read: ReadBefore = {};
      const { made, history } = await trainModel(recipe, path, {
        data,
        command,
        read,
        checkpoint: join(out, "checkpoint.bin"),
      });
      writeFileSync(join(out, "curves.svg"), curvesOf(recipe, history));
      const folds: FoldReport[] = [];
      for (const [k, leftOut] of foldsOf(recipe).entries()) {
        const checkpoint = join(out, `checkpoint-${k}.bin`);
        folds.push(await measureFold(recipe, path, { data, command, read, checkpoint, leftOut }));
        removeCheckpoints(recipe, checkpoint);
      }
      await measureModel(recipe, made, folds, options);
      removeCheckpoints(recipe, join(out, "checkpoint.bin"));
    });

interface TrainingPlace {
  readonly data: string;
  readonly command: string;
  readonly read: ReadBefore;
  readonly checkpoint: string;
  readonly leftOut?: Fold;
}

/** One net, its progress told and kept at `checkpoint`. */
const trainMember = async (
  name: string,
  net: NetSpec,
  { training, validation }: Prepared,
  settings: TrainOptions,
  checkpoint: string,
): Promise<Trained> => {
  const progress = progressLine(name);
  const trained = await train(net, training, validation, settings, {
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
        `pass ${e.epoch + 1}: training loss ${e.trainingLoss.toFixed(4)}, validation loss ${e.validationLoss.toFixed(4)}${settings.loss === "cross-entropy" ? `, accuracy ${(100 * e.validationAccuracy).toFixed(2)} %` : ""}`,
      );
    },
  });
  progress.end();
  return trained;
};

const removeCheckpoints = ({ training: { committee = 1 } }: Recipe, first: string): void => {
  for (let k = 0; k < committee; k++) rmSync(k === 0 ? first : `${first}.${k}`, { force: true });
};

const trainModel = async (
  recipe: Recipe,
  path: string,
  { data, command, read, checkpoint, leftOut }: TrainingPlace,
) => {
  const name = leftOut === undefined ? recipe.name : `${recipe.name} without ${leftOut.join(", ")}`;
  say(`${name}: reading recordings`);
  const prepared = await prepare(recipe, data, leftOut, read);
  say(`${name}: ${prepared.training.count} to train on, ${prepared.validation.count} to choose by`);
  const net: NetSpec = { name: recipe.name, input: recipe.input.shape, layers: recipe.net.layers };
  const settings = { ...withTeacher(recipe, path), ...(prepared.augment && { augment: prepared.augment }) };
  const { seed, committee = 1 } = recipe.training;
  const members: Trained[] = [];
  for (let k = 0; k < committee; k++) {
    const member = committee === 1 ? name : `${name}, ${k + 1} of ${committee}`;
    const place = k === 0 ? checkpoint : `${checkpoint}.${k}`;
    members.push(await trainMember(member, net, prepared, { ...settings, seed: seed + k } as TrainOptions, place));
  }
  const graph = committeeOf(members.map((member) => member.graph));
  // Ranges that were learned are of one net.
  const { history, inputMax } = committee === 1 ? members[0]! : { ...members[0]!, inputMax: {} };
  const about = {
    recipe: "recipe.yaml",
    seed,
    command,
    data: { ...recipe.data, ...(leftOut && { leaveOut: leftOut }) },
  };
  const { input: contract, series } = prepared;
  const part = recipe.data.kind === "nab" ? recipe.data.thresholdQuantile : 1;
  const make = (input: InputContract) => makeModel(graph, recipe, input, prepared.calibration, about, inputMax);
  const made = make(contract);
  return { made: series ? make(withThreshold(made, series, part)) : made, history };
};

/** Of an evaluation before: a measurement does not train folds again. */
const foldsIn = (path: string): readonly FoldReport[] =>
  existsSync(path) ? ((JSON.parse(readFileSync(path, "utf8")) as { folds?: FoldReport[] }).folds ?? []) : [];

/** Chips of a fold, measured at one day with global compensation. */
const foldSeeds = 5;

const measureFold = async (
  recipe: Recipe,
  path: string,
  place: TrainingPlace & { readonly leftOut: Fold },
): Promise<FoldReport> => {
  const { made } = await trainModel(recipe, path, place);
  const { data, leftOut } = place;
  const { graph, manifest, bytes: model } = made;
  const task = await openTask(manifest, data, leftOut);
  const { digital, analog } = await measureInThreads(
    { name: `${recipe.name} on ${leftOut.join(", ")}`, model, graph, task, data, fold: leftOut },
    {
      kinds: measuredKinds,
      agesSeconds: [{ name: "1d", seconds: age("1d") }],
      compensations: ["global"],
      seeds: foldSeeds,
    },
  );
  const { numbers, detail } = digital;
  return { leftOut, samples: task.samples, digital: numbers, confusion: detail?.confusion ?? [], analog };
};

/** The settings of training, with the bytes of the teacher that a recipe names by a path from its own folder. */
const withTeacher = ({ training }: Recipe, path: string) => {
  const { distillation, committee: _, ...rest } = training;
  if (!distillation) return rest;
  const teacher = new Uint8Array(readFileSync(resolve(dirname(path), distillation.teacher)));
  return { ...rest, distillation: { ...distillation, teacher } };
};

const curvesOf = (recipe: Recipe, history: Awaited<ReturnType<typeof train>>["history"]): string =>
  lineChart(`${recipe.name}: ${recipe.task !== "classifier" ? "loss" : "accuracy"}`, "pass", [
    {
      name: "training",
      points: history.map((e) => [e.epoch + 1, recipe.task !== "classifier" ? e.trainingLoss : e.trainingAccuracy]),
    },
    {
      name: "validation",
      points: history.map((e) => [e.epoch + 1, recipe.task !== "classifier" ? e.validationLoss : e.validationAccuracy]),
    },
  ]);
