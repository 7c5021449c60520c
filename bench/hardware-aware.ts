import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Pictures, pictureFeatures, testDigits, trainingDigits, trainingSetOf } from "../agent/datasets/digits.ts";
import type { LabelledFeatures } from "../agent/datasets/labelled.ts";
import { predict } from "../agent/evaluation/predict.ts";
import { deviceByName } from "../models/crossbar/devices/registry.ts";
import { AnalogNetwork } from "../models/network/analog.ts";
import { calibrateRanges } from "../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import { foldBatchNorm } from "../models/network/fold-batch-norm.ts";
import type { Graph } from "../models/network/graph.ts";
import type { Network } from "../models/network/network.ts";
import type { HardwareOptions } from "../models/training/hardware.ts";
import type { LayerSpec, NetSpec } from "../models/training/specification.ts";
import { type TrainOptions, train } from "../models/training/trainer.ts";

const block = (channels: number): readonly LayerSpec[] => [
  { kind: "conv", kernel: [3, 3], channels },
  { kind: "batch-norm" },
  { kind: "relu" },
  { kind: "max-pool", kernel: [2, 2] },
];
const net: NetSpec = {
  name: "digits",
  input: [28, 28, 1],
  layers: [...block(8), ...block(16), ...block(24), { kind: "flatten" }, { kind: "dense", outputs: 10 }],
};

const trainings: Readonly<Record<string, HardwareOptions | undefined>> = {
  plain: undefined,
  "clipped weights": { weightClip: 2.5 },
  "clipped, noise 0.08": { weightClip: 2.5, weightNoise: 0.08 },
  "clipped, noise 0.04, drift to 1 y": { weightClip: 2.5, weightNoise: 0.04, driftSeconds: 365 * 86400 },
  "all: noise, drift, output noise, ADC": {
    ...{ weightClip: 2.5, weightNoise: 0.04, driftSeconds: 365 * 86400 },
    ...{ activationBits: 8, learnInputRange: true, adcBits: 8, outputNoise: 0.01 },
  },
};

const day = 86400;
const chips = [1, 2, 3, 4, 5];
const scale = 1 / 127;

/** The same net trained plainly and for the hardware, on the same pictures, then on the same chips at the same ages. */
export const run = async (): Promise<void> => {
  const folder = join(process.env["OHMWATCH_DATA"] ?? "../shared/data", "mnist");
  if (!existsSync(folder)) {
    process.stdout.write(`hardware-aware: expected MNIST in ${folder} (or OHMWATCH_DATA), got nothing: skipped\n`);
    return;
  }
  const pictures = firstOf(trainingDigits(folder, "training"), 15_000);
  const validation = firstOf(trainingDigits(folder, "validation"), 2_000);
  const test = pictureFeatures(firstOf(testDigits(folder), 2_000));
  const samples = pictureFeatures(firstOf(pictures, 256));
  process.stdout.write(
    "Three convolutional layers, 15,000 pictures of MNIST, eight passes; accuracy on 2,000 test pictures.\n" +
      `pcm-nandakumar-2019, 8-bit converters, global compensation; mean and worst of ${chips.length} chips.\n\n` +
      "| training | digital | 0 s | 1 day | 1 year | 1 day, uncompensated |\n|---|---:|---:|---:|---:|---:|\n",
  );
  for (const [name, hardware] of Object.entries(trainings)) {
    const options: TrainOptions = {
      ...{ seed: 1, epochs: 8, batchSize: 64, learningRate: 0.004, weightDecay: 0.001, warmupEpochs: 0.5 },
      ...{ loss: "cross-entropy", workers: 2 },
      ...(hardware && { hardware }),
    };
    const trained = await train(net, trainingSetOf(pictures), trainingSetOf(validation), options);
    measure(name, trained.graph, trained.inputMax, samples, test);
  }
};

const measure = (
  name: string,
  trained: Graph,
  inputMax: Readonly<Record<string, number>>,
  samples: LabelledFeatures,
  test: LabelledFeatures,
): void => {
  const graph = foldBatchNorm(trained);
  const rows = Array.from({ length: samples.count }, (_, i) => samples.x.slice(i * 784, (i + 1) * 784));
  const sizes = { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256 };
  const mapping = calibrateRanges(graph, rows, { ...sizes, inputScale: scale, inputMax });
  const found = new Map<string, number[]>();
  const score = (column: string, network: Network): void => {
    found.set(column, [...(found.get(column) ?? []), accuracyOf(network, test)]);
  };
  for (const seed of chips) {
    const chip = new AnalogNetwork(graph, {
      device: deviceByName("pcm-nandakumar-2019"),
      seed,
      mapping,
      kernel: "simd",
    });
    for (const [column, age] of Object.entries({ "0 s": 0, "1 day": day, "1 year": 365 * day })) {
      chip.ageTo(age);
      chip.calibrate("global");
      score(column, chip);
    }
    chip.ageTo(day);
    chip.calibrate("none");
    score("bare", chip);
  }
  const percent = (value: number): string => (100 * value).toFixed(2);
  const cells = [...found.values()].map((all) => {
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    return `${percent(mean)} (${percent(Math.min(...all))})`;
  });
  process.stdout.write(
    `| ${name} | ${percent(accuracyOf(new DigitalNetwork(graph), test))} | ${cells.join(" | ")} |\n`,
  );
};

const accuracyOf = (network: Network, test: LabelledFeatures): number =>
  predict(network, test, scale).reduce((right, label, i) => right + (label === test.labels[i] ? 1 : 0), 0) / test.count;

const firstOf = ({ pixels, labels, count, height, width }: Pictures, most: number): Pictures => {
  const n = Math.min(count, most);
  return { pixels: pixels.subarray(0, n * height * width), labels: labels.subarray(0, n), count: n, height, width };
};
