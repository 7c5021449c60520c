import type { EpochRecord } from "./checkpoint.ts";
import { checkHardware, type HardwareOptions } from "./hardware.ts";
import type { Loss } from "./losses.ts";
import type { OptimiserKind } from "./optimiser.ts";
import type { NetSpec } from "./specification.ts";
import type { DistillationOptions } from "./teacher.ts";
import type { SharedArrays, TrainingSet } from "./training-set.ts";

/** How to train. The result is a function of the net, the sets and these, `workers` aside. */
export interface TrainOptions {
  readonly seed: number;
  readonly epochs: number;
  /** Samples a step; a rest shorter than a quarter of it is left out of its epoch. */
  readonly batchSize: number;
  /** Left out: `adamw`. */
  readonly optimiser?: OptimiserKind;
  /** Of `sgd`, 0 … 1; left out: 0.9. */
  readonly momentum?: number;
  /** α of mixup, 0 … 1: samples are mixed by a part of Beta(α, α), one for each half of a batch. Left out: they are not. */
  readonly mixup?: number;
  /** A teacher beside the labels. Left out: none. */
  readonly distillation?: DistillationOptions;
  /** Largest learning rate: linear warm-up, then half a cosine down to 0. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmupEpochs: number;
  /** Longest gradient; 0: any. Left out: 0. */
  readonly clipNorm?: number;
  /** Left out: 0. */
  readonly labelSmoothing?: number;
  /** A factor on the loss of each class; not normalised. */
  readonly classWeights?: readonly number[];
  readonly loss: Loss;
  /** Left out: plain training. */
  readonly hardware?: HardwareOptions;
  /** Threads. The result is the same, to the last bit. */
  readonly workers: 1 | 2;
  /** A module that changes training samples; see `AugmentModule`. */
  readonly augment?: { readonly module: URL; readonly options: unknown; readonly shared?: SharedArrays };
}

/** What happens on the way. */
export interface TrainHooks {
  /** After each step. */
  readonly onProgress?: (progress: Progress) => void;
  /** After each epoch, with bytes that `resume` takes. */
  readonly onCheckpoint?: (bytes: Uint8Array, epoch: EpochRecord) => void | Promise<void>;
  /** Go on from a checkpoint of the same training. */
  readonly resume?: Uint8Array;
  /** A clock, for the speed in `onProgress`. */
  readonly nowMs?: () => number;
  /** Ends training, with its reason as the error. */
  readonly signal?: AbortSignal;
}

/** Where training is. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Steps of this epoch that are done. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  /** Since training began or was resumed; only with a clock. */
  readonly samplesPerSecond?: number;
  readonly remainingSeconds?: number;
}

/** Steps of an epoch over `count` samples. */
export const stepsPerEpoch = (count: number, batchSize: number): number =>
  Math.floor(count / batchSize) + (4 * (count % batchSize) >= batchSize ? 1 : 0);

/** @throws RangeError with the option's name, what was expected and what was given */
export const checkOptions = (options: TrainOptions, training: TrainingSet): void => {
  const expect = (good: boolean, name: string, expected: string, got: unknown): void => {
    if (!good) throw new RangeError(`${name}: expected ${expected}, got ${got}`);
  };
  const { seed, epochs, batchSize, learningRate, weightDecay, warmupEpochs, labelSmoothing = 0 } = options;
  expect(Number.isSafeInteger(seed) && seed >= 0, "seed", "an integer ≥ 0", seed);
  expect(Number.isInteger(epochs) && epochs > 0, "epochs", "an integer > 0", epochs);
  expect(Number.isInteger(batchSize) && batchSize >= 4, "batchSize", "an integer ≥ 4", batchSize);
  const enough = stepsPerEpoch(training.count, batchSize) > 0;
  expect(enough, "batchSize", `a batch that ${training.count} samples fill to a quarter`, batchSize);
  expect(learningRate > 0 && learningRate < Infinity, "learningRate", "a number > 0", learningRate);
  expect(weightDecay >= 0 && weightDecay < Infinity, "weightDecay", "a number ≥ 0", weightDecay);
  expect(warmupEpochs >= 0 && warmupEpochs <= epochs, "warmupEpochs", `0 … ${epochs}`, warmupEpochs);
  expect(labelSmoothing >= 0 && labelSmoothing < 1, "labelSmoothing", "0 … 1", labelSmoothing);
  expect(options.workers === 1 || options.workers === 2, "workers", "1 or 2", options.workers);
  const { optimiser = "adamw", momentum = 0.9, mixup = 0, distillation } = options;
  expect(optimiser === "adamw" || optimiser === "sgd", "optimiser", "adamw or sgd", optimiser);
  expect(momentum >= 0 && momentum < 1, "momentum", "0 … 1", momentum);
  expect(mixup >= 0 && mixup <= 1, "mixup", "0 … 1", mixup);
  const classifies = options.loss === "cross-entropy" || (mixup === 0 && !distillation);
  expect(classifies, "loss", "cross-entropy with mixup or distillation", options.loss);
  const { weight = 0, temperature = 1 } = distillation ?? {};
  expect(weight >= 0 && weight <= 1, "distillation.weight", "0 … 1", weight);
  expect(temperature > 0 && temperature < Infinity, "distillation.temperature", "a number > 0", temperature);
  checkHardware(options.hardware ?? {});
};

/** A text that two trainings share only when one may go on from the other's checkpoint. */
export const fingerprintOf = (
  net: NetSpec,
  sets: { readonly training: TrainingSet; readonly validation: TrainingSet },
  { workers, augment, distillation, ...options }: TrainOptions,
): string => {
  const size = ({ shape, count }: TrainingSet) => ({ shape, count });
  const how = augment && { options: augment.options };
  const { teacher, ...taught } = distillation ?? {};
  // A sum that tells teachers apart, in place of their bytes.
  const sum = teacher?.reduce((total, byte) => (Math.imul(total, 31) + byte) | 0, teacher.length);
  const lesson = distillation && { ...taught, sum };
  return JSON.stringify([net, size(sets.training), size(sets.validation), options, how, lesson]);
};
