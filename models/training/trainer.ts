import type { Graph } from "../network/graph.ts";
import { SequentialRandom } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { type EpochRecord, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { clipWeights } from "./hardware.ts";
import { type Job, parts } from "./job.ts";
import { inputRangeSuffix, rangeScaleSuffix } from "./layers/analog-input.ts";
import { AdamW, learningRateAt, MomentumSgd, type Optimiser, type OptimiserOptions } from "./optimiser.ts";
import {
  checkOptions,
  fingerprintOf,
  type Progress,
  stepsPerEpoch,
  type TrainHooks,
  type TrainOptions,
} from "./options.ts";
import { alone, type Team, together } from "./parallel.ts";
import { openRunner, type Runner } from "./runner.ts";
import type { NetSpec } from "./specification.ts";
import { measureNetwork } from "./trainable-network.ts";
import { shareArray, shareSet, type TrainingSet } from "./training-set.ts";

export type { Progress, TrainHooks, TrainOptions } from "./options.ts";

/** The network of the best epoch by validation, and every epoch's figures. */
export interface Trained {
  /** Batch normalisation as nodes of its own; a classifier ends in softmax. */
  readonly graph: Graph;
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  /** Full scale of the DACs that it was trained with, by node; empty without `hardware.activationBits`. */
  readonly inputMax: Readonly<Record<string, number>>;
}

/**
 * Train a network: batches in random order, gradients by two halves of each batch, AdamW or momentum. Best is the epoch with
 * the highest validation accuracy, of equal ones the latest (autoencoder: the lowest loss). The result is the same
 * bits for the same arguments, on one thread or two, in one go or resumed.
 *
 * @throws RangeError when net, sets or options do not fit each other, or a gradient stops being finite
 */
export const train = async (
  net: NetSpec,
  training: TrainingSet,
  validation: TrainingSet,
  options: TrainOptions,
  hooks: TrainHooks = {},
): Promise<Trained> => {
  checkOptions(options, training);
  const job = prepareJob(net, training, validation, options);
  const runner = await openRunner(job, (floats) => 4 * (floats + 16));
  const trainer = new Trainer(job, runner, options, hooks, fingerprintOf(net, { training, validation }, options));
  if (hooks.resume) trainer.resume(hooks.resume);
  const team = options.workers === 2 ? await together(runner, job) : alone(runner);
  try {
    while (trainer.epoch < options.epochs) await trainer.runEpoch(team);
  } finally {
    await team.close();
  }
  return trainer.best();
};

const orderStream = 0x0de5;
/** The part of a batch in the running statistics. */
const batchPart = 0.1;

interface Sum {
  loss: number;
  correct: number;
  count: number;
}

class Trainer {
  epoch = 0;
  #step = 0;
  #history: EpochRecord[] = [];
  #bestScore = -Infinity;
  readonly #job: Job;
  readonly #runner: Runner;
  readonly #options: TrainOptions;
  readonly #hooks: TrainHooks;
  readonly #fingerprint: string;
  readonly #schedule: OptimiserOptions;
  readonly #steps: number;
  readonly #optimiser: Optimiser;
  /** Sum of the parts' gradients, and room to add one. */
  readonly #total: Float32Array;
  readonly #part: Float32Array;
  readonly #bestValue: Float32Array;
  readonly #bestRunning: Float32Array;
  /** The state, as checkpoints hold it. */
  readonly #blocks: readonly Float32Array[];
  readonly #startMs: number;
  #stepsTimed = 0;

  constructor(job: Job, runner: Runner, options: TrainOptions, hooks: TrainHooks, fingerprint: string) {
    this.#job = job;
    this.#runner = runner;
    this.#options = options;
    this.#hooks = hooks;
    this.#fingerprint = fingerprint;
    this.#startMs = hooks.nowMs?.() ?? 0;
    this.#steps = stepsPerEpoch(job.training.count, job.batchSize);
    this.#schedule = {
      learningRate: options.learningRate,
      weightDecay: options.weightDecay,
      clipNorm: options.clipNorm ?? 0,
      steps: this.#steps * options.epochs,
      warmupSteps: Math.round(this.#steps * options.warmupEpochs),
    };
    const { network } = runner;
    const block = () => network.arena.float32(network.parameters.length);
    const [first, second] = [block(), block()];
    this.#total = block();
    this.#part = block();
    const { parameters, loops } = network;
    const { optimiser = "adamw", momentum = 0.9 } = options;
    this.#optimiser =
      optimiser === "sgd"
        ? new MomentumSgd(parameters, first, loops, { ...this.#schedule, momentum })
        : new AdamW(parameters, { first, second }, loops, this.#schedule);
    network.initialise(options.seed);
    const { value, running } = job.shared;
    value.set(network.parameters.value);
    running.set(network.parameters.running);
    this.#bestValue = value.slice();
    this.#bestRunning = running.slice();
    this.#blocks = [value, first, second, running, this.#bestValue, this.#bestRunning];
  }

  resume(bytes: Uint8Array): void {
    const saved = readCheckpoint(bytes, this.#fingerprint);
    for (const [i, block] of this.#blocks.entries()) block.set(saved.blocks[i]!);
    this.epoch = saved.epoch;
    this.#step = saved.step;
    this.#history = [...saved.history];
    this.#bestScore = saved.bestScore;
  }

  async runEpoch(team: Team): Promise<void> {
    const { shared, training, validation, batchSize } = this.#job;
    for (let i = 0; i < shared.order.length; i++) shared.order[i] = i;
    new SequentialRandom(this.#options.seed, [this.epoch, 0, orderStream]).shuffle(shared.order);
    const sum: Sum = { loss: 0, correct: 0, count: 0 };
    for (let i = 0; i < this.#steps; i++) {
      const from = i * batchSize;
      const count = Math.min(batchSize, training.count - from);
      team.run({ kind: "step", epoch: this.epoch, step: this.#step, from, count });
      this.#update();
      this.#addScores(sum, count);
      this.#report(sum, i + 1);
      if (i % 8 === 7) await new Promise<void>((resolve) => setImmediate(resolve)); // lets signals in
      this.#hooks.signal?.throwIfAborted();
    }
    team.run({ kind: "evaluate" });
    const validated: Sum = { loss: 0, correct: 0, count: 0 };
    this.#addScores(validated, validation.count);
    await this.#finishEpoch(sum, validated);
  }

  best(): Trained {
    const { parameters } = this.#runner.network;
    parameters.value.set(this.#bestValue);
    parameters.running.set(this.#bestRunning);
    const bestEpoch = this.#history.findLastIndex((record) => this.#scoreOf(record) === this.#bestScore);
    const graph = this.#runner.network.toGraph({ softmax: this.#options.loss === "cross-entropy" });
    const ranges = parameters.statistics.filter(({ name }) => name.endsWith(inputRangeSuffix));
    const inputMax = Object.fromEntries(
      ranges.map(({ name, running }) => {
        const layer = name.slice(0, -inputRangeSuffix.length);
        const learned = parameters.parameters.find((p) => p.name === `${layer}${rangeScaleSuffix}`);
        return [layer, running[0]! * Math.exp(learned?.value[0] ?? 0)];
      }),
    );
    return { graph, history: this.#history, bestEpoch, inputMax };
  }

  /** One step of the optimiser, from what the parts left in the shared blocks. */
  #update(): void {
    const { shared, hardware } = this.#job;
    const { parameters, loops } = this.#runner.network;
    this.#total.set(shared.gradients[0]!);
    for (let part = 1; part < parts; part++) {
      this.#part.set(shared.gradients[part]!);
      loops.add(this.#total.byteOffset, this.#part.byteOffset, this.#total.byteOffset, this.#total.length);
    }
    parameters.value.set(shared.value);
    this.#optimiser.step(this.#total, this.#step++);
    if (hardware.weightClip !== undefined) clipWeights(parameters, loops, hardware.weightClip);
    shared.value.set(parameters.value);
    for (let i = 0; i < shared.running.length; i++) {
      let mean = 0;
      for (const statistics of shared.statistics) mean += statistics[i]! / parts;
      // A range starts at 0, which is no range: the first batch sets it.
      const old = shared.running[i]!;
      shared.running[i] = this.#step === 1 ? mean : old + batchPart * (mean - old);
    }
  }

  #addScores(sum: Sum, count: number): void {
    for (const [loss, correct] of this.#job.shared.scores) {
      sum.loss += loss!;
      sum.correct += correct!;
    }
    sum.count += count;
  }

  #report(sum: Sum, step: number): void {
    const { onProgress, nowMs } = this.#hooks;
    this.#stepsTimed++;
    if (!onProgress) return;
    const means = { loss: sum.loss / sum.count, accuracy: sum.correct / sum.count };
    const seconds = nowMs ? (nowMs() - this.#startMs) / 1000 : 0;
    const stepsPerSecond = this.#stepsTimed / seconds;
    const speed: Pick<Progress, "samplesPerSecond" | "remainingSeconds"> =
      seconds > 0
        ? {
            samplesPerSecond: stepsPerSecond * this.#job.batchSize,
            remainingSeconds: (this.#schedule.steps - this.#step) / stepsPerSecond,
          }
        : {};
    const { epochs } = this.#options;
    onProgress({ epoch: this.epoch, epochs, step, stepsPerEpoch: this.#steps, ...means, ...speed });
  }

  async #finishEpoch(trained: Sum, validated: Sum): Promise<void> {
    const record: EpochRecord = {
      epoch: this.epoch,
      learningRate: learningRateAt(this.#step - 1, this.#schedule),
      trainingLoss: trained.loss / trained.count,
      trainingAccuracy: trained.correct / trained.count,
      validationLoss: validated.loss / validated.count,
      validationAccuracy: validated.correct / validated.count,
    };
    this.#history.push(record);
    if (this.#scoreOf(record) >= this.#bestScore) {
      this.#bestScore = this.#scoreOf(record);
      this.#bestValue.set(this.#job.shared.value);
      this.#bestRunning.set(this.#job.shared.running);
    }
    this.epoch++;
    const checkpoint = {
      ...{ epoch: this.epoch, step: this.#step, fingerprint: this.#fingerprint },
      ...{ history: this.#history, bestScore: this.#bestScore, blocks: this.#blocks },
    };
    await this.#hooks.onCheckpoint?.(writeCheckpoint(checkpoint), record);
  }

  #scoreOf(record: EpochRecord): number {
    return this.#options.loss !== "cross-entropy" ? -record.validationLoss : record.validationAccuracy;
  }
}

const prepareJob = (net: NetSpec, training: TrainingSet, validation: TrainingSet, options: TrainOptions): Job => {
  const { loss, hardware = {}, batchSize, augment, labelSmoothing = 0, mixup, distillation } = options;
  const sizes = measureNetwork(net, { batch: 1, noisy: false, converters: hardware });
  const inputs = sizeOf(net.input);
  for (const [name, { shape }] of Object.entries({ validation, ...(augment ? {} : { training }) })) {
    if (`${shape}` !== `${net.input}`) {
      throw new RangeError(`${name}.shape: expected the net's input [${net.input}], got [${shape}]`);
    }
  }
  if (loss !== "cross-entropy" && sizes.outputs !== inputs) {
    throw new RangeError(`layers: expected as many outputs as inputs, ${inputs}, for ${loss}, got ${sizes.outputs}`);
  }
  const classes = loss === "cross-entropy" ? sizes.outputs : undefined;
  if (options.classWeights && options.classWeights.length !== classes) {
    throw new RangeError(`classWeights: expected ${classes} weights, got ${options.classWeights.length}`);
  }
  const floats = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));
  const each = <T>(make: () => T): T[] => Array.from({ length: parts }, make);
  const arrays = Object.entries(augment?.shared ?? {}).map(([name, array]) => [name, shareArray(array)] as const);
  return {
    ...{ net, seed: options.seed, loss, labelSmoothing, classWeights: options.classWeights, hardware, batchSize },
    ...{ mixup, distillation },
    augment: augment && {
      url: augment.module.href,
      options: augment.options,
      shared: Object.fromEntries(arrays),
    },
    training: shareSet("training", training, classes),
    validation: shareSet("validation", validation, classes),
    shared: {
      value: floats(sizes.parameterFloats),
      running: floats(sizes.statisticsFloats),
      gradients: each(() => floats(sizes.parameterFloats)),
      statistics: each(() => floats(sizes.statisticsFloats)),
      scores: each(() => new Float64Array(new SharedArrayBuffer(16))),
      order: new Int32Array(new SharedArrayBuffer(4 * training.count)),
    },
  };
};
