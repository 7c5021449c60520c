import type { Value } from "../network/graph.ts";
import { showShape } from "../network/shapes.ts";
import type { NodeReader } from "./graph-reader.ts";
import { dimsOf, imageTensor, isChannelsLast, isOrdered, orderedTensor, type Tensor } from "./layout.ts";

/** An input as an image `[height, width, channels]`, whichever place the file has its channels in. */
interface AnyImage {
  readonly value: Value;
  readonly shape: readonly [number, number, number];
  /** The image's axis of each axis of the file behind the batch. */
  readonly axes: readonly number[];
  /** The tensor of a result of this shape, its axes as they were. */
  result(value: Value): Tensor;
}

const anyImage = (node: NodeReader, index: number): AnyImage => {
  const tensor = node.tensor(index);
  const dims = dimsOf(tensor);
  // Axes of size 1 fit everywhere; where the axes are still those of the value, its last is the channels'.
  const isLast = tensor.shape.length === dims.length && tensor.axes.at(-1) === dims.length - 1;
  if (!isLast && isChannelsLast(tensor) && (dims.length === 2 || dims.length === 3)) {
    const { value, shape, rank } = node.image(index);
    const axes = rank === 2 ? [2, 1] : [2, 0, 1];
    return { value, shape, axes, result: (given) => imageTensor(given, rank) };
  }
  if (tensor.flattenedBy || !isOrdered(tensor) || dims.length < 2 || dims.length > 3) {
    return node.fail("an image or a signal, its channels first or last", `[batch, ${dims.join(", ")}]`);
  }
  const shape = (dims.length === 2 ? [1, ...dims] : dims) as unknown as readonly [number, number, number];
  const value = node.reshaped(tensor.value, shape);
  const axes = dims.map((_, i) => i + 3 - dims.length);
  return { value, shape, axes, result: (given) => orderedTensor(given, given.shape.slice(3 - dims.length)) };
};

/** `Pad` with a constant along height and width; its amounts are an attribute before opset 11. */
export const readPad = (node: NodeReader): void => {
  const mode = node.text("mode", "constant");
  if (mode !== "constant") node.fail("mode constant", mode);
  const { value, axes, shape, result } = anyImage(node, 0);
  const amounts = Array.from(node.optionalConstant(1)?.exact ?? node.ints("pads") ?? node.fail("pads", "none"));
  const rank = axes.length + 1;
  const given = Array.from(node.optionalConstant(3)?.exact ?? Array.from({ length: rank }, (_, i) => i), (axis) =>
    axis < 0 ? axis + rank : axis,
  );
  if (amounts.length !== 2 * given.length) node.fail(`${2 * given.length} pads`, amounts.length);
  const border = [0, 0, 0, 0];
  given.forEach((axis, i) => {
    const [before, after] = [amounts[i]!, amounts[i + given.length]!];
    const place = axis === 0 ? 2 : axes[axis - 1]!;
    if (place === 2 && (before || after)) node.fail("a border along height and width", showShape(amounts));
    if (place < 2) [border[place], border[place + 2]] = [before, after];
  });
  if (border.some((n) => n < 0)) node.fail("pads ≥ 0", showShape(amounts));
  const number = node.optionalConstant(2)?.values[0] ?? node.float("value", 0);
  const [top, left, bottom, right] = border as [number, number, number, number];
  const output = node.value([shape[0] + top + bottom, shape[1] + left + right, shape[2]]);
  const padding = [top, left, bottom, right] as const;
  node.emit({ kind: "pad", name: node.name, inputs: [value.name], output, padding, value: number });
  node.give(result(output));
};

/** `Concat` of the channels of images, or of vectors. */
export const readConcat = (node: NodeReader): void => {
  const count = node.onnx.input?.length ?? 0;
  const given = node.int("axis", 1);
  const vectors = dimsOf(node.tensor(0)).length === 1;
  if (vectors) {
    if (given !== 1 && given !== -1) node.fail("the axis of the features", given);
    const values = Array.from({ length: count }, (_, i) => {
      const { value, places } = node.vector(i);
      return places.every((place, at) => place === at)
        ? value
        : node.fail("features in the order of the file", "another");
    });
    const output = node.value([values.reduce((sum, { shape }) => sum + shape[0]!, 0)]);
    node.emit({ kind: "concat", name: node.name, inputs: values.map(({ name }) => name), output });
    node.giveVector(output);
    return;
  }
  const images = Array.from({ length: count }, (_, i) => anyImage(node, i));
  const [first] = images;
  const axis = given < 0 ? given + first!.axes.length : given - 1;
  if (images.some(({ axes }) => axes[axis] !== 2)) node.fail("the axis of the channels", given);
  const channels = images.reduce((sum, { shape }) => sum + shape[2], 0);
  const output = node.value([first!.shape[0], first!.shape[1], channels]);
  node.emit({ kind: "concat", name: node.name, inputs: images.map(({ value }) => value.name), output });
  node.give(first!.result(output));
};

/** `ReduceMean` over all of height and width; its axes are an attribute before opset 18. */
export const readReduceMean = (node: NodeReader): void => {
  const { value, shape, axes } = anyImage(node, 0);
  const rank = axes.length + 1;
  const given = Array.from(node.optionalConstant(1)?.exact ?? node.ints("axes") ?? node.fail("axes", "none"), (axis) =>
    axis < 0 ? axis + rank : axis,
  );
  const reduced = given.map((axis) => (axis === 0 ? -1 : axes[axis - 1]!));
  const isWhole = [0, 1].every((place) => reduced.includes(place) || shape[place] === 1);
  if (!isWhole || reduced.includes(2) || reduced.includes(-1))
    node.fail("the mean over height and width", showShape(given));
  const output = node.value([shape[2]]);
  node.emit({ kind: "global-average-pool", name: node.name, inputs: [value.name], output });
  if (!node.int("keepdims", 1)) {
    node.giveVector(output);
    return;
  }
  node.give({ value: output, shape: [1, 1, shape[2]], axes: axes.map((axis) => axis) });
};

/** `GlobalMaxPool`: a pool with one window. */
export const readGlobalMaxPool = (node: NodeReader): void => {
  const { value, shape, rank } = node.image(0);
  const output = node.value([1, 1, shape[2]]);
  const window = { kernel: [shape[0], shape[1]], stride: [1, 1], padding: [0, 0, 0, 0] } as const;
  node.emit({ kind: "max-pool", name: node.name, inputs: [value.name], output, ...window });
  node.give(imageTensor(output, rank));
};
