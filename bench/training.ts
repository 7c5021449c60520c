import { SequentialRandom } from "../models/random.ts";
import { AdamW } from "../models/training/optimiser.ts";
import type { LayerSpec, NetSpec } from "../models/training/specification.ts";
import { TrainableNetwork } from "../models/training/trainable-network.ts";

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
const keywords: NetSpec = {
  name: "keywords",
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

/** Print how many samples a second one thread trains on: forward, backward and AdamW, in batches of 64. */
export const run = (): void => {
  const batch = 64;
  const network = new TrainableNetwork(keywords, { batch, extraFloats: (floats) => 2 * (floats + 16) });
  const { parameters, arena, loops } = network;
  network.initialise(1);
  const moments = { first: arena.float32(parameters.length), second: arena.float32(parameters.length) };
  const schedule = { learningRate: 1e-3, weightDecay: 0.01, clipNorm: 0, steps: 1000, warmupSteps: 10 };
  const optimiser = new AdamW(parameters, moments, loops, schedule);
  const random = new SequentialRandom(2);
  for (let i = 0; i < network.input.length; i++) network.input[i] = random.gaussian();
  const times: number[] = [];
  for (let step = 0; step < 30; step++) {
    const start = performance.now();
    const pass = { count: batch, training: true, random };
    network.forward(pass);
    network.outputGradient.fill(1e-3);
    parameters.gradient.fill(0);
    network.backward(pass);
    optimiser.step(parameters.gradient, step);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const speed = (ms: number) => ((batch / ms) * 1000).toFixed(0);
  const [best, median] = [times[0]!, times[15]!];
  console.log(`training, keywords, 1 thread: ${speed(best)} samples/s at best, ${speed(median)} in the median`);
};
