import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prepare } from "../agent/datasets/prepare.ts";
import { type Recipe, readRecipe } from "../agent/datasets/recipe.ts";
import { makeModel } from "../agent/evaluation/make-model.ts";
import { spread } from "../agent/evaluation/metrics.ts";
import { openTask } from "../agent/evaluation/task.ts";
import { deviceByName } from "../models/crossbar/devices/registry.ts";
import { AnalogNetwork } from "../models/network/analog.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import { type TrainOptions, train } from "../models/training/trainer.ts";

/** Models, and how many passes over the training set both nets of each get. */
const passes: Readonly<Record<string, number>> = { "keywords-12": 3, "ecg-beats": 8, "digits-mlp": 6 };
const day = 86400;
const chips = [1, 2, 3, 4, 5];

/** The nets of the zoo's recipes, trained plainly and as the recipe says, on the same chips at the same ages. */
export const run = async (): Promise<void> => {
  const data = process.env["OHMWATCH_DATA"] ?? "../shared/data";
  if (!existsSync(data)) {
    process.stdout.write(
      `hardware-aware-zoo: expected recordings in ${data} (or OHMWATCH_DATA), got nothing: skipped\n`,
    );
    return;
  }
  process.stdout.write(
    `pcm-nandakumar-2019, global compensation but in the last column; mean and worst of ${chips.length} chips, %.\n\n` +
      "| net, training | digital | 0 s | 1 day | 1 year | 1 day, uncompensated |\n|---|---:|---:|---:|---:|---:|\n",
  );
  for (const [name, epochs] of Object.entries(passes)) {
    const recipe = readRecipe(fileURLToPath(new URL(`../models/zoo/${name}/recipe.yaml`, import.meta.url)));
    const prepared = await prepare(recipe, data);
    for (const kind of ["plain", "for the hardware"] as const) {
      const { hardware, distillation: _, committee: __, ...rest } = recipe.training; // one net of each
      const options = {
        ...{ ...rest, epochs },
        ...(kind === "for the hardware" && hardware && { hardware }),
        ...(prepared.augment && { augment: prepared.augment }),
      } as TrainOptions;
      const net = { name, input: recipe.input.shape, layers: recipe.net.layers };
      const { graph, inputMax } = await train(net, prepared.training, prepared.validation, options);
      const about = { recipe: "recipe.yaml", seed: rest.seed, command: "", data: recipe.data };
      const model = makeModel(graph, recipe, prepared.input, prepared.calibration, about, inputMax);
      process.stdout.write(`| ${name}, ${kind} | ${(await measure(recipe, model, data)).join(" | ")} |\n`);
    }
  }
};

const measure = async (
  { name }: Recipe,
  { graph, manifest }: ReturnType<typeof makeModel>,
  data: string,
): Promise<string[]> => {
  const task = await openTask(manifest, data);
  const percent = (value: number): string => (100 * value).toFixed(2);
  const accuracyOf = (network: DigitalNetwork | AnalogNetwork): number => {
    const accuracy = task.score(network).numbers["accuracy"];
    if (accuracy === undefined) throw new RangeError(`${name}: expected a classifier`);
    return accuracy;
  };
  const columns = [
    [0, "global"],
    [day, "global"],
    [365 * day, "global"],
    [day, "none"],
  ] as const;
  const figures = chips.map((seed) => {
    const device = deviceByName("pcm-nandakumar-2019");
    const chip = new AnalogNetwork(graph, { device, seed, mapping: manifest.mapping, kernel: "simd" });
    return columns.map(([age, compensation]) => {
      chip.ageTo(age);
      chip.calibrate(compensation);
      return accuracyOf(chip);
    });
  });
  return [
    percent(accuracyOf(new DigitalNetwork(graph, { kernel: "simd" }))),
    ...columns.map((_, c) => {
      const { mean, min } = spread(figures.map((ofChip) => ofChip[c]!));
      return `${percent(mean)} (${percent(min)})`;
    }),
  ];
};
