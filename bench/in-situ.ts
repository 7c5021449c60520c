import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Pictures, testDigits, trainingDigits } from "../agent/datasets/digits.ts";
import { SequentialRandom } from "../models/random.ts";
import { Perceptron } from "../models/training/in-situ/perceptron.ts";
import type { SoftBounds } from "../models/training/in-situ/soft-bounds.ts";
import {
  floatMatrix,
  pulsedMatrix,
  type TikiTakaOptions,
  type TrainedMatrix,
  tikiTakaMatrix,
} from "../models/training/in-situ/trained-matrix.ts";

/** Devices of about 300 steps from end to end, that differ by 30 % and step up and down unequally by 5 %. */
const device: SoftBounds = {
  ...{ step: 0.004, stepSpread: 0.3, cycleNoise: 0.3 },
  ...{ bound: 0.6, boundSpread: 0.3, asymmetry: 0, asymmetrySpread: 0.05 },
};
const tikiTaka: TikiTakaOptions = { transferEvery: 1, transferRate: 0.1, shiftPairs: 1000 };
const hidden = 64;
const side = 14;
const inputs = side * side;
const rate = 0.02;

type Kind = "float" | "pulsed" | "tiki-taka";
const kinds: readonly Kind[] = ["float", "pulsed", "tiki-taka"];

interface Sample {
  readonly x: Float32Array;
  readonly label: number;
}

/** In-situ training on MNIST at 14 × 14: the whole net, then the last layer alone after the world has changed. */
export const run = (): void => {
  const folder = join(process.env["OHMWATCH_DATA"] ?? "../shared/data", "mnist");
  if (!existsSync(folder)) {
    process.stdout.write(`in-situ: expected MNIST in ${folder} (or OHMWATCH_DATA), got nothing: skipped\n`);
    return;
  }
  const training = samplesOf(trainingDigits(folder, "training"), 12_000);
  const test = samplesOf(testDigits(folder), 5_000);
  process.stdout.write(
    `${inputs}-${hidden}-10, 12,000 pictures of MNIST at 14 × 14, five passes of one sample a step, ${test.length} test pictures;\n` +
      `soft bounds ± ${device.bound}, step ${device.step}, spreads ${device.stepSpread}, asymmetry ± ${device.asymmetrySpread}\n\n`,
  );
  process.stdout.write("| whole net | accuracy: seeds 1, 2, 3 | mean |\n|---|---|---:|\n");
  for (const kind of kinds) {
    const found = [1, 2, 3].map((seed) => {
      const random = new SequentialRandom(seed, [0, 0, 1]);
      const make = (outputs: number, taken: number) =>
        matrix(kind, first(outputs, taken, random), outputs, taken, random);
      const net = new Perceptron([make(hidden, inputs), make(10, hidden)]);
      teach(net, training, 5, random);
      return accuracyOf(net, test);
    });
    row(kind, found);
  }
  adaptLastLayer(training, test);
};

/** A net learned on upright pictures meets mirrored ones; its last layer learns from 2,000 of them. */
const adaptLastLayer = (training: readonly Sample[], test: readonly Sample[]): void => {
  const random = new SequentialRandom(1, [0, 0, 2]);
  const body = floatMatrix(first(hidden, inputs, random), hidden, inputs);
  const weights = first(10, hidden, random);
  const head = floatMatrix(weights, 10, hidden);
  teach(new Perceptron([body, head]), training, 5, random);
  const learned = matrixOf(head);
  const frozen: TrainedMatrix = { ...body, update: () => {} };
  const [mirrored, mirroredTest] = [training.slice(0, 2000).map(mirror), test.map(mirror)];
  process.stdout.write("\n| last layer, mirrored pictures | accuracy: seeds 1, 2, 3 | mean |\n|---|---|---:|\n");
  row("before", [accuracyOf(new Perceptron([frozen, head]), mirroredTest)]);
  for (const kind of kinds) {
    const found = [1, 2, 3].map((seed) => {
      const own = new SequentialRandom(seed, [0, 0, 3]);
      const net = new Perceptron([frozen, matrix(kind, learned, 10, hidden, own)]);
      teach(net, mirrored, 5, own);
      return accuracyOf(net, mirroredTest);
    });
    row(kind, found);
  }
};

const matrix = (kind: Kind, initial: Float32Array, outputs: number, taken: number, random: SequentialRandom) => {
  if (kind === "float") return floatMatrix(initial, outputs, taken);
  if (kind === "pulsed") return pulsedMatrix(initial, outputs, taken, device, random);
  return tikiTakaMatrix(initial, outputs, taken, device, tikiTaka, random);
};

const first = (outputs: number, taken: number, random: SequentialRandom): Float32Array =>
  Float32Array.from({ length: outputs * taken }, () => random.gaussian() / Math.sqrt(taken));

/** The matrix itself, column by column. */
const matrixOf = ({ outputs, inputs: taken, multiply }: TrainedMatrix): Float32Array => {
  const [x, y, all] = [new Float32Array(taken), new Float32Array(outputs), new Float32Array(outputs * taken)];
  for (let i = 0; i < taken; i++) {
    x.fill(0);
    x[i] = 1;
    multiply(x, y);
    for (let o = 0; o < outputs; o++) all[o * taken + i] = y[o]!;
  }
  return all;
};

const teach = (net: Perceptron, samples: readonly Sample[], passes: number, random: SequentialRandom): void => {
  const order = [...samples];
  for (let pass = 0; pass < passes; pass++) {
    random.shuffle(order);
    for (const { x, label } of order) net.learn(x, label, rate);
  }
};

const accuracyOf = (net: Perceptron, samples: readonly Sample[]): number => {
  let right = 0;
  for (const { x, label } of samples) {
    const y = net.infer(x);
    if (y.reduce((best, value, o) => (value > y[best]! ? o : best), 0) === label) right++;
  }
  return right / samples.length;
};

/** Means over 2 × 2 pixels, 0 … 1. */
const samplesOf = ({ pixels, labels, count, width, height }: Pictures, most: number): readonly Sample[] =>
  Array.from({ length: Math.min(count, most) }, (_, n) => {
    const x = new Float32Array(inputs);
    for (let i = 0; i < height * width; i++) {
      const [row, column] = [Math.floor(i / width), i % width];
      x[(row >> 1) * side + (column >> 1)]! += pixels[n * height * width + i]! / (4 * 255);
    }
    return { x, label: labels[n]! };
  });

const mirror = ({ x, label }: Sample): Sample => ({
  x: x.map((_, i) => x[Math.floor(i / side) * side + side - 1 - (i % side)]!),
  label,
});

const row = (name: string, found: readonly number[]): void => {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  process.stdout.write(`| ${name} | ${found.map(percent).join(", ")} | ${percent(mean)} |\n`);
};
