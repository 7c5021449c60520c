import { SequentialRandom } from "../models/random.ts";
import { crossEntropy } from "../models/training/losses.ts";
import { AdamW } from "../models/training/optimiser.ts";
import type { LayerSpec, NetSpec } from "../models/training/specification.ts";
import { TrainableNetwork } from "../models/training/trainable-network.ts";
import { compare, printTable, type Way } from "./timing.ts";
import { type Convolution, tfjsTraining } from "./training-tfjs.ts";

const block = (channels: number): readonly LayerSpec[] => [
  {
    kind: "residual",
    layers: [
      { kind: "conv", channels, kernel: [1, 9], stride: [1, 2] },
      { kind: "batch-norm" },
      { kind: "relu" },
      { kind: "conv", channels, kernel: [1, 9] },
      { kind: "batch-norm" },
    ],
    shortcut: [{ kind: "conv", channels, kernel: [1, 1], stride: [1, 2] }, { kind: "batch-norm" }],
  },
  { kind: "relu" },
];

/** The residual net of temporal convolutions for keywords: 254 k weights, 5.7 million products a sample. */
const residual: NetSpec = {
  name: "keywords-12",
  input: [1, 98, 40],
  layers: [
    { kind: "conv", channels: 32, kernel: [1, 3] },
    { kind: "batch-norm" },
    { kind: "relu" },
    ...block(48),
    ...block(64),
    ...block(96),
    { kind: "global-average-pool" },
    { kind: "dense", outputs: 12 },
  ],
};

/** Without residuals and normalisation, which tfjs would do in many small steps: 102 k weights, 2.5 million products. */
const convolutions: readonly Convolution[] = [
  { taps: 3, stride: 1, inputs: 40, outputs: 32 },
  { taps: 9, stride: 2, inputs: 32, outputs: 48 },
  { taps: 9, stride: 2, inputs: 48, outputs: 64 },
  { taps: 9, stride: 2, inputs: 64, outputs: 96 },
];
const compact: NetSpec = {
  name: "compact",
  input: [1, 98, 40],
  layers: [
    ...convolutions.flatMap(({ taps, stride, outputs }): LayerSpec[] => [
      { kind: "conv", channels: outputs, kernel: [1, taps], stride: [1, stride] },
      { kind: "relu" },
    ]),
    { kind: "global-average-pool" },
    { kind: "dense", outputs: 12 },
  ],
};

const batch = 64;
const random = new SequentialRandom(2);
const x = Float32Array.from({ length: batch * 98 * 40 }, () => random.gaussian());
const labels = Array.from({ length: batch }, (_, i) => i % 12);

/** One thread: microseconds a sample for forward, backward and the optimiser's step, in batches of 64. */
export const run = async (): Promise<void> => {
  const tfjs = await tfjsTraining(convolutions, { x, labels, frames: 98, classes: 12 });
  const ways: Way[] = [
    { name: "ours, 102 k weights, 2.5 M MACs", call: ourTraining(compact), rows: batch },
    { name: "tfjs-wasm, the same net", call: tfjs, rows: batch },
    { name: "ours, keywords-12, 5.7 M MACs", call: ourTraining(residual), rows: batch },
  ];
  const times = await compare(ways, { rounds: 7, millisecondsEach: 400 });
  printTable("training, one thread", "a sample", times);
  for (const { name, microseconds } of times) {
    console.log(`  ${name}: ${(1e6 / microseconds.median).toFixed(0)} samples/s in the median`);
  }
};

const ourTraining = (net: NetSpec): (() => void) => {
  const network = new TrainableNetwork(net, { batch, extraFloats: (floats) => 2 * (floats + 16) });
  const { parameters, arena, loops } = network;
  network.initialise(1);
  const moments = { first: arena.float32(parameters.length), second: arena.float32(parameters.length) };
  const schedule = { learningRate: 1e-3, weightDecay: 0.01, clipNorm: 0, steps: 1e6, warmupSteps: 10 };
  const optimiser = new AdamW(parameters, moments, loops, schedule);
  const options = { count: batch, classes: 12, smoothing: 0, classWeights: undefined, scale: 1 / batch };
  let step = 0;
  return () => {
    network.input.set(x);
    const pass = { count: batch, training: true, random };
    crossEntropy(network.forward(pass), labels, network.outputGradient, options);
    parameters.gradient.fill(0);
    network.backward(pass);
    optimiser.step(parameters.gradient, step++);
  };
};
