import type { Value } from "../network/graph.ts";
import { type Shape, sizeOf } from "../tensor.ts";

/**
 * A tensor of the file seen as a value of the graph. The value's elements lie in the order of `shape`; the file
 * has the axes of `shape` in the order `axes`, behind the batch:
 *
 *   dims[i] = shape[axes[i]]        `[channels, height, width]` of `[height, width, channels]`: axes = 2, 0, 1
 *
 * `flattenedBy`: the file has since run all axes into one, in its own order; no node of the graph did so yet.
 */
export interface Tensor {
  readonly value: Value;
  readonly shape: Shape;
  readonly axes: readonly number[];
  /** Where the file has the batch among its axes; left out: first. */
  readonly batchAxis?: number;
  readonly flattenedBy?: { readonly node: string; readonly output: string };
}

/** A tensor whose order in the file is that of the graph. */
export const orderedTensor = (value: Value, shape: Shape): Tensor => ({ value, shape, axes: shape.map((_, i) => i) });

/** A value `[height, width, channels]` that the file has as `[channels, height, width]` or, `rank` 2, `[channels, width]`. */
export const imageTensor = (value: Value, rank: number): Tensor => {
  const [height, width, channels] = value.shape as readonly [number, number, number];
  if (rank === 2) return { value, shape: [width, channels], axes: [1, 0] };
  return { value, shape: [height, width, channels], axes: [2, 0, 1] };
};

/** Dimensions in the file, without the batch. */
export const dimsOf = ({ shape, axes, flattenedBy }: Tensor): Shape =>
  flattenedBy ? [sizeOf(shape)] : axes.map((axis) => shape[axis]!);

/** Whether the file has the elements in the order of the graph; axes of size 1 do not matter. */
export const isOrdered = ({ shape, axes }: Tensor): boolean => {
  const moving = axes.filter((axis) => shape[axis]! > 1);
  return moving.every((axis, i) => i === 0 || axis > moving[i - 1]!);
};

/** All axes in another order, the batch among them: `perm` as in the file. */
export const transposed = (tensor: Tensor, perm: readonly number[]): Tensor => {
  const all = axesWithBatch(tensor);
  return tensorOfAxes(
    tensor,
    perm.map((from) => all[from]!),
  );
};

/** Axes as the file has them; the batch is −1. */
export const axesWithBatch = ({ axes, batchAxis = 0 }: Tensor): readonly number[] => axes.toSpliced(batchAxis, 0, -1);

/** The tensor with these axes, the batch as −1. */
export const tensorOfAxes = ({ batchAxis: _, ...tensor }: Tensor, all: readonly number[]): Tensor => {
  const batchAxis = all.indexOf(-1);
  return { ...tensor, axes: all.filter((axis) => axis >= 0), ...(batchAxis > 0 && { batchAxis }) };
};

/** Whether the graph has the elements as `[height, width, channels]` where the file has `[channels, …]`. */
export const isChannelsLast = (tensor: Tensor): boolean => {
  const { axes } = tensor;
  return !tensor.flattenedBy && isOrdered({ ...tensor, axes: [...axes.slice(1), axes[0]!] });
};

/** For each element in the order of the file, its place in the order of the graph. */
export const placesOf = ({ shape, axes }: Tensor): Int32Array => {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const places = new Int32Array(sizeOf(shape));
  for (let i = 0; i < places.length; i++) {
    let rest = i;
    for (let a = axes.length - 1; a >= 0; a--) {
      const size = shape[axes[a]!]!;
      places[i] = places[i]! + (rest % size) * strides[axes[a]!]!;
      rest = Math.floor(rest / size);
    }
  }
  return places;
};

/**
 * The tensor under other dimensions of the file, where that only adds or drops axes of size 1; undefined where
 * it does more.
 */
export const withUnitAxes = (tensor: Tensor, dims: Shape): Tensor | undefined => {
  const before = dimsOf(tensor);
  const moving = before.flatMap((n, i) => (n > 1 ? [i] : []));
  const kept = dims.filter((n) => n > 1);
  if (tensor.flattenedBy || kept.length !== moving.length || kept.some((n, i) => n !== before[moving[i]!]))
    return undefined;
  const shape = [...tensor.shape];
  let next = 0;
  const axes = dims.map((n) => (n > 1 ? tensor.axes[moving[next++]!]! : shape.push(1) - 1));
  return { ...tensor, shape, axes };
};
