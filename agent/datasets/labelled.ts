import type { Shape } from "../../models/tensor.ts";

/** Features with their classes, all in one array: what a trainer and an evaluation take. */
export interface LabelledFeatures {
  readonly shape: Shape;
  readonly count: number;
  /** [count × size of the shape], shared so that worker threads read the same memory. */
  readonly x: Float32Array<SharedArrayBuffer>;
  /** Class index a sample; −1 for an event that the reference does not know (a false detection). */
  readonly labels: Int32Array;
  /** The recording that each sample is from. */
  readonly groups: readonly string[];
  /** Events of the reference that gave no features (a missed beat): class index each. */
  readonly missed: readonly number[];
}

/** One sample on its way into a set. */
export interface LabelledSample {
  readonly data: Float32Array;
  readonly label: number;
  readonly group: string;
}

/** Put samples of one shape side by side. @throws RangeError when a sample has another size */
export const pack = (
  shape: Shape,
  samples: readonly LabelledSample[],
  missed: readonly number[] = [],
): LabelledFeatures => {
  const size = shape.reduce((a, b) => a * b, 1);
  const x = new Float32Array(new SharedArrayBuffer(4 * size * samples.length));
  for (const [i, { data }] of samples.entries()) {
    if (data.length !== size) throw new RangeError(`features: expected ${size} numbers [${shape}], got ${data.length}`);
    x.set(data, i * size);
  }
  return {
    shape,
    count: samples.length,
    x,
    labels: Int32Array.from(samples, (s) => s.label),
    groups: samples.map((s) => s.group),
    missed,
  };
};

/** The part of a set whose samples `keep`, or each as often as it says. */
export const subset = (set: LabelledFeatures, keep: (index: number) => boolean | number): LabelledFeatures => {
  const size = set.shape.reduce((a, b) => a * b, 1);
  const samples: LabelledSample[] = [];
  for (let i = 0; i < set.count; i++) {
    const sample = { data: set.x.subarray(i * size, (i + 1) * size), label: set.labels[i]!, group: set.groups[i]! };
    for (let times = Number(keep(i)); times > 0; times--) samples.push(sample);
  }
  return pack(set.shape, samples);
};

/** Mean and standard deviation of each feature along the last axis (or of each position, where it has one channel). */
export const momentsOf = (set: LabelledFeatures, width: number): { mean: number[]; std: number[] } => {
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let i = 0; i < set.x.length; i++) {
    sum[i % width]! += set.x[i]!;
    squares[i % width]! += set.x[i]! ** 2;
  }
  const n = set.x.length / width;
  const mean = Array.from(sum, (s) => s / n);
  return { mean, std: mean.map((m, i) => Math.sqrt(Math.max(squares[i]! / n - m * m, 1e-12))) };
};

/** Standardise in place: `(x − mean) / std`, both by position modulo their length. */
export const standardise = (set: LabelledFeatures, mean: readonly number[], std: readonly number[]): void => {
  for (let i = 0; i < set.x.length; i++) set.x[i] = (set.x[i]! - mean[i % mean.length]!) / std[i % std.length]!;
};

/** Two sets of one shape as one. */
export const joined = (a: LabelledFeatures, b: LabelledFeatures): LabelledFeatures => {
  const x = new Float32Array(new SharedArrayBuffer(4 * (a.x.length + b.x.length)));
  x.set(a.x);
  x.set(b.x, a.x.length);
  const labels = Int32Array.from([...a.labels, ...b.labels]);
  const [groups, missed] = [
    [...a.groups, ...b.groups],
    [...a.missed, ...b.missed],
  ];
  return { shape: a.shape, count: a.count + b.count, x, labels, groups, missed };
};
