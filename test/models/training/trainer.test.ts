import { describe, expect, it } from "vitest";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import type { HardwareOptions } from "../../../models/training/hardware.ts";
import type { NetSpec } from "../../../models/training/specification.ts";
import { type Trained, type TrainHooks, type TrainOptions, train } from "../../../models/training/trainer.ts";
import type { TrainingSet } from "../../../models/training/training-set.ts";

/** Three classes of short signals: tones of 1, 2 and 3 periods at a random phase in noise of half their power. */
const tones = (count: number, seed: number): TrainingSet => {
  const random = new SequentialRandom(seed);
  const x = new Float32Array(count * 32);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % 3;
    const phase = random.uniform() * 2 * Math.PI;
    for (let t = 0; t < 32; t++) {
      x[i * 32 + t] = Math.sin((2 * Math.PI * (labels[i]! + 1) * t) / 32 + phase) + 0.5 * random.gaussian();
    }
  }
  return { shape: [1, 32, 1], count, x, labels };
};

const net: NetSpec = {
  name: "tones",
  input: [1, 32, 1],
  layers: [
    { kind: "conv", channels: 8, kernel: [1, 5] },
    { kind: "batch-norm" },
    { kind: "relu" },
    {
      kind: "residual",
      layers: [{ kind: "conv", channels: 8, kernel: [1, 5], stride: [1, 2] }, { kind: "batch-norm" }],
      shortcut: [{ kind: "conv", channels: 8, kernel: [1, 1], stride: [1, 2] }],
    },
    { kind: "relu" },
    { kind: "dropout", rate: 0.1 },
    { kind: "global-average-pool" },
    { kind: "dense", outputs: 3 },
  ],
};

const options: TrainOptions = {
  seed: 3,
  epochs: 8,
  batchSize: 32,
  learningRate: 0.01,
  weightDecay: 0.01,
  warmupEpochs: 0.5,
  labelSmoothing: 0.05,
  loss: "cross-entropy",
  workers: 1,
};

const training = tones(1500, 1);
const validation = tones(300, 2);
const run = (change: Partial<TrainOptions> = {}, hooks: TrainHooks = {}): Promise<Trained> =>
  train(net, training, validation, { ...options, ...change }, hooks);

const hardware: HardwareOptions = { weightNoise: 0.05, weightClip: 2.5, activationBits: 8, outputNoise: 0.02 };

describe("train", () => {
  it("learns tones in noise: at least 95 % of new ones", async () => {
    // The matched filter's error here is below 1 %; eight epochs come close.
    const { history, bestEpoch } = await run();
    expect(history).toHaveLength(8);
    expect(history[bestEpoch]!.validationAccuracy).toBeGreaterThan(0.95);
  });

  it.each([
    ["plain", {}],
    ["hardware-aware", { hardware }],
  ])("gives the same bits on two threads as on one, %s", async (_, change) => {
    const [one, two] = [await run({ ...change, epochs: 2 }), await run({ ...change, epochs: 2, workers: 2 })];
    expect(two).toEqual(one);
  });

  it("gives the same bits when it goes on from a checkpoint", async () => {
    const checkpoints: Uint8Array[] = [];
    const whole = await run({ hardware }, { onCheckpoint: (bytes) => void checkpoints.push(bytes) });
    const resumed = await run({ hardware }, { resume: checkpoints[1]! });
    expect(resumed).toEqual(whole);
    // As a file is read: a piece of a pool, whose `slice` shares its memory.
    const file = Buffer.concat([Buffer.of(0), checkpoints[1]!]).subarray(1);
    expect(await run({ hardware }, { resume: file })).toEqual(whole);
  });

  it("refuses a checkpoint of other options, or one cut short, and says so", async () => {
    let bytes = new Uint8Array();
    const onCheckpoint = (given: Uint8Array) => {
      bytes = new Uint8Array(given);
    };
    await run({ epochs: 1 }, { onCheckpoint });
    await expect(run({ epochs: 1, seed: 4 }, { resume: bytes })).rejects.toThrow(
      "resume: expected a checkpoint of this",
    );
    const cut = bytes.subarray(0, bytes.length - 100);
    await expect(run({ epochs: 1 }, { resume: cut })).rejects.toThrow("resume: expected a whole checkpoint");
    await expect(run({ epochs: 1 }, { resume: bytes.subarray(1) })).rejects.toThrow("got other bytes");
  });

  it("keeps weights within the clip: no weight beyond 2.5 deviations of its layer", async () => {
    const { graph } = await run({ hardware: { weightClip: 2.5 }, epochs: 1 });
    for (const node of graph.nodes) {
      if (node.kind !== "conv" && node.kind !== "dense") continue;
      const deviation = Math.sqrt(node.weights.reduce((sum, w) => sum + w * w, 0) / node.weights.length);
      const most = node.weights.reduce((largest, w) => Math.max(largest, Math.abs(w)), 0);
      // Clipping shortens the deviation itself, by less than 10 % at 2.5.
      expect(most / deviation).toBeLessThan(2.5 * 1.1);
    }
  });

  it("tells the ranges that it learned: of the input the one given, of later layers about their largest inputs", async () => {
    const { graph, inputMax } = await run({ hardware: { activationBits: 8, inputMax: 2.5 }, epochs: 2 });
    const weighted = graph.nodes.filter(({ kind }) => kind === "conv" || kind === "dense").map(({ name }) => name);
    expect(Object.keys(inputMax).sort()).toEqual([...weighted].sort());
    expect(inputMax["0-conv"]).toBe(2.5);
    // After batch normalisation and relu the largest of 16 × 32 × 8 numbers lies some deviations out.
    expect(inputMax["3-residual.main.0-conv"]).toBeGreaterThan(2);
    expect(inputMax["3-residual.main.0-conv"]).toBeLessThan(8);
  });

  it("reads codes with a scale as the numbers that they stand for", async () => {
    const codes = new Int8Array(training.x.length).map((_, i) => Math.round(training.x[i]! * 32));
    const real = new Float32Array(codes.length).map((_, i) => codes[i]! / 32);
    const once = (x: Float32Array | Int8Array, scale: number) =>
      train(net, { ...training, x, scale }, validation, { ...options, epochs: 1 });
    expect(await once(codes, 1 / 32)).toEqual(await once(real, 1));
  });

  it("augments by a module, the same on both threads: reversed tones are as easy", async () => {
    const augment = { module: new URL("./reverse-in-time.ts", import.meta.url), options: { often: 0.5 } };
    const [one, two] = [await run({ augment }), await run({ augment, workers: 2 })];
    expect(two).toEqual(one);
    expect(one.history.at(-1)!.validationAccuracy).toBeGreaterThan(0.95);
  });

  it("learns to give back its input: an autoencoder leaves less than a third of the variance of tones", async () => {
    const layers = [{ kind: "dense", outputs: 8 }, { kind: "relu" }, { kind: "dense", outputs: 32 }] as const;
    const flat = (set: TrainingSet): TrainingSet => ({ shape: [32], count: set.count, x: set.x });
    const how: TrainOptions = { ...options, loss: "mean-square", epochs: 30 };
    const { history } = await train({ name: "auto", input: [32], layers }, flat(training), flat(validation), how);
    // Variance is 0.5 of tones and 0.25 of noise; six numbers hold the tones and a fifth of the noise.
    expect(history.at(-1)!.validationLoss).toBeLessThan(0.75 * 0.45);
  });

  it("says what does not fit", async () => {
    await expect(run({ batchSize: 2 })).rejects.toThrow("batchSize: expected an integer ≥ 4, got 2");
    await expect(run({ classWeights: [1, 2] })).rejects.toThrow("classWeights: expected 3 weights, got 2");
    await expect(run({ loss: "mean-square" })).rejects.toThrow("layers: expected as many outputs as inputs, 32");
    const wrong = { ...validation, shape: [32] };
    await expect(train(net, training, wrong, options)).rejects.toThrow(
      "validation.shape: expected the net's input [1,32,1], got [32]",
    );
    const labels = new Uint8Array(1500).fill(3);
    await expect(train(net, { ...training, labels }, validation, options)).rejects.toThrow(
      "training.labels: expected classes 0 … 2",
    );
  });

  it("learns by gradient descent with momentum as well: at least 95 % of new tones", async () => {
    const { history } = await run({ optimiser: "sgd", momentum: 0.9, learningRate: 0.1, clipNorm: 1 });
    expect(history.at(-1)!.validationAccuracy).toBeGreaterThan(0.95);
  });

  it("learns mixed samples, the same on both threads: at least 90 % of new tones", async () => {
    const [one, two] = [await run({ mixup: 0.2 }), await run({ mixup: 0.2, workers: 2 })];
    expect(two).toEqual(one);
    expect(one.history.at(-1)!.validationAccuracy).toBeGreaterThan(0.9);
  });

  it("learns from a teacher alone what it knows, whatever the labels say: at least 90 % with labels by chance", async () => {
    const random = new SequentialRandom(8);
    const labels = new Uint8Array(1500).map(() => random.integer(3));
    const teacher = writeOnnx((await run()).graph);
    const distillation = { teacher, weight: 1, temperature: 2 };
    const { history } = await train(net, { ...training, labels }, validation, { ...options, distillation });
    expect(history.at(-1)!.validationAccuracy).toBeGreaterThan(0.9);
    const deaf = await train(net, { ...training, labels }, validation, options);
    expect(deaf.history.at(-1)!.validationAccuracy).toBeLessThan(0.7);
  });

  it("refuses a teacher of other classes, and options out of range", async () => {
    const four = { ...net, layers: [...net.layers.slice(0, -1), { kind: "dense", outputs: 4 } as const] };
    const { graph } = await train(four, training, validation, { ...options, epochs: 1 });
    const distillation = { teacher: writeOnnx(graph), weight: 0.5 };
    await expect(run({ distillation })).rejects.toThrow("from 32 numbers to 3 classes, got 32 to 4");
    await expect(run({ mixup: 2 })).rejects.toThrow("mixup: expected 0 … 1, got 2");
    await expect(run({ hardware: { driftSeconds: -1 } })).rejects.toThrow(
      "hardware.driftSeconds: expected a number ≥ 0",
    );
    const misspelt = { weightnoise: 0.1 } as HardwareOptions;
    await expect(run({ hardware: misspelt })).rejects.toThrow("hardware.weightnoise: expected one of weightNoise,");
    await expect(run({ hardware: { learnInputRange: true } })).rejects.toThrow("expected activationBits beside it");
  });

  it("gives the same bits on two threads with drift, stuck devices, ADCs and learned ranges", async () => {
    const everything: HardwareOptions = {
      ...hardware,
      ...{ driftSeconds: 86400, stuckDevices: 0.002, adcBits: 8, learnInputRange: true },
    };
    const [one, two] = [
      await run({ hardware: everything, epochs: 4 }),
      await run({ hardware: everything, epochs: 4, workers: 2 }),
    ];
    expect(two).toEqual(one);
    // Chance is 33 %; half of the epochs of the plain training.
    expect(one.history.at(-1)!.validationAccuracy).toBeGreaterThan(0.8);
  });

  it("stops with the reason of its signal", async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(run({}, { onProgress, signal: controller.signal })).rejects.toThrow("enough");
  });
});
