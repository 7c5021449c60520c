import type { HardwareOptions } from "./hardware.ts";
import type { Loss } from "./losses.ts";
import type { NetSpec } from "./specification.ts";
import type { DistillationOptions } from "./teacher.ts";
import type { SharedArrays, TrainingSet } from "./training-set.ts";

/** Batches are split into this many parts, by one thread as by two: so the result does not depend on threads. */
export const parts = 2;

/** All that a thread needs to run its part of each batch; crosses threads as it is, with arrays in shared memory. */
export interface Job {
  readonly net: NetSpec;
  readonly seed: number;
  readonly loss: Loss;
  readonly labelSmoothing: number;
  readonly classWeights: readonly number[] | undefined;
  readonly hardware: HardwareOptions;
  readonly batchSize: number;
  readonly mixup: number | undefined;
  readonly distillation: DistillationOptions | undefined;
  readonly augment: { readonly url: string; readonly options: unknown; readonly shared: SharedArrays } | undefined;
  readonly training: TrainingSet;
  readonly validation: TrainingSet;
  readonly shared: Shared;
}

/** The blocks that threads exchange. */
export interface Shared {
  /** Clean values of all parameters, and running statistics: written by the main thread between steps. */
  readonly value: Float32Array;
  readonly running: Float32Array;
  /** Of each part: gradients, statistics of the batch, `[loss, correct]`. */
  readonly gradients: readonly Float32Array[];
  readonly statistics: readonly Float32Array[];
  readonly scores: readonly Float64Array[];
  /** The order of the training set in this epoch. */
  readonly order: Int32Array;
}

/** What to do next. */
export type Task =
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly from: number;
      readonly count: number;
    }
  | { readonly kind: "evaluate" };

/** Which of `count` items part `part` has: as even as can be, in order. */
export const rangeOfPart = (count: number, part: number): readonly [from: number, to: number] => [
  Math.floor((count * part) / parts),
  Math.floor((count * (part + 1)) / parts),
];
