import type { SequentialRandom } from "../random.ts";
import { type Shape, sizeOf } from "../tensor.ts";

/** Samples to train or validate on. Arrays over shared memory are used where they lie; others are copied once. */
export interface TrainingSet {
  /** Of one sample. Without augmentation it is the network's input shape. */
  readonly shape: Shape;
  readonly count: number;
  /** [count][…shape]; a sample is `scale · x + offset`. */
  readonly x: Float32Array | Int16Array | Int8Array | Uint8Array;
  /** Left out: 1. */
  readonly scale?: number;
  /** Left out: 0. */
  readonly offset?: number;
  /** Class of each sample; left out for an autoencoder. */
  readonly labels?: Uint8Array | Int32Array;
}

/**
 * Change a sample of the training set into an input of the network, with chance from `random` alone. Writes all
 * of `out`; must not keep or change `sample`.
 */
export type Augment = (sample: Float32Array, random: SequentialRandom, out: Float32Array) => void;

/**
 * What a module of augmentation exports. Functions do not cross threads, so each thread imports the module by its
 * URL and calls `prepare` once.
 */
export interface AugmentModule {
  prepare(options: unknown, shared: SharedArrays): Augment | Promise<Augment>;
}

/** Arrays over shared memory for augmentation, such as recordings of background noise. */
export type SharedArrays = Readonly<Record<string, Float32Array | Int16Array | Int8Array | Uint8Array | Int32Array>>;

/** Write sample `index`, in real units, to `out`. */
export const readSample = (set: TrainingSet, index: number, out: Float32Array): void => {
  const { x, scale = 1, offset = 0 } = set;
  const length = sizeOf(set.shape);
  const from = index * length;
  if (x instanceof Float32Array && scale === 1 && offset === 0) {
    for (let i = 0; i < length; i++) out[i] = x[from + i]!;
  } else {
    for (let i = 0; i < length; i++) out[i] = x[from + i]! * scale + offset;
  }
};

/** The same set over shared memory. @throws RangeError when arrays do not have the lengths that they must */
export const shareSet = (name: string, set: TrainingSet, classes: number | undefined): TrainingSet => {
  if (!(Number.isInteger(set.count) && set.count > 0)) {
    throw new RangeError(`${name}.count: expected an integer > 0, got ${set.count}`);
  }
  const length = set.count * sizeOf(set.shape);
  if (set.x.length !== length) throw new RangeError(`${name}.x: expected ${length} numbers, got ${set.x.length}`);
  if (classes === undefined) return { ...set, x: shareArray(set.x) };
  if (set.labels?.length !== set.count) {
    throw new RangeError(`${name}.labels: expected ${set.count} labels, got ${set.labels?.length ?? "none"}`);
  }
  const wrong = set.labels.find((label: number) => !(label >= 0 && label < classes));
  if (wrong !== undefined) {
    throw new RangeError(`${name}.labels: expected classes 0 … ${classes - 1}, as many as outputs, got ${wrong}`);
  }
  return { ...set, x: shareArray(set.x), labels: shareArray(set.labels) };
};

/** The array itself where its memory is shared, else a copy in memory that is. */
export const shareArray = <T extends Float32Array | Int16Array | Int8Array | Uint8Array | Int32Array>(array: T): T => {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  const make = array.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new make(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
};
