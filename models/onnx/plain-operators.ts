import type { ActivationNode, Node } from "../network/graph.ts";
import { showShape } from "../network/shapes.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { readArithmetic } from "./affine-operators.ts";
import { type Constant, constantOfNode } from "./constants.ts";
import type { NodeReader } from "./graph-reader.ts";
import {
  axesWithBatch,
  dimsOf,
  isOrdered,
  orderedTensor,
  placesOf,
  tensorOfAxes,
  transposed,
  withUnitAxes,
} from "./layout.ts";
import { plainName } from "./names.ts";

/** `Relu`, `Sigmoid`, `Tanh`, whatever the order of the axes. */
export const readActivation = (node: NodeReader, kind: ActivationNode["kind"]): void => {
  const tensor = node.tensor(0);
  const output = node.value(tensor.value.shape);
  node.emit({ kind, name: node.name, inputs: [tensor.value.name], output });
  node.give({ ...tensor, value: output });
};

/** `Clip`; bounds are attributes before opset 11. */
export const readClip = (node: NodeReader): void => {
  const low = node.optionalConstant(1)?.values[0] ?? node.float("min", Number.NEGATIVE_INFINITY);
  const high = node.optionalConstant(2)?.values[0] ?? node.float("max", Number.POSITIVE_INFINITY);
  const isOpen = high > 3e38;
  if (low === 0 && (high === 6 || isOpen)) {
    readActivation(node, high === 6 ? "relu6" : "relu");
    return;
  }
  if (!(low < high)) node.fail("bounds low < high", `${low} and ${high}`);
  const tensor = node.tensor(0);
  const output = node.value(tensor.value.shape);
  node.emit({ kind: "clip", name: node.name, inputs: [tensor.value.name], output, low, high });
  node.give({ ...tensor, value: output });
};

/** `LeakyRelu`. */
export const readLeakyRelu = (node: NodeReader): void => {
  const tensor = node.tensor(0);
  const output = node.value(tensor.value.shape);
  const slope = node.float("alpha", 0.01);
  node.emit({ kind: "leaky-relu", name: node.name, inputs: [tensor.value.name], output, slope });
  node.give({ ...tensor, value: output });
};

/** `Softmax` over the channels. */
export const readSoftmax = (node: NodeReader): void => {
  const tensor = node.tensor(0);
  const dims = dimsOf(tensor);
  const given = node.int("axis", node.graph.opset < 13 ? 1 : -1);
  if (tensor.flattenedBy && (given === 1 || given === -1)) {
    const { tensor: flat, value } = node.vector(0);
    const output = node.value(value.shape);
    node.emit({ kind: "softmax", name: node.name, inputs: [value.name], output });
    node.give({ ...flat, value: output });
    return;
  }
  const axis = given < 0 ? given + dims.length : given - 1;
  const size = sizeOf(dims);
  const isLast = !tensor.flattenedBy && tensor.axes[axis] === tensor.shape.length - 1;
  const isChannels = dims[axis] === tensor.value.shape.at(-1) && (dims[axis] === size || isLast);
  // Before opset 13 all axes from this one on count as one.
  if (!isChannels || (node.graph.opset < 13 && sizeOf(dims.slice(axis)) !== dims[axis]))
    node.fail("the axis of the channels", given);
  readActivation(node, "softmax");
};

/** `Add` of two values, or of a constant: to the bias of the layer before where there is one. */
export const readAdd = (node: NodeReader): void => {
  const constants = [0, 1].map((index) => node.graph.findConstant(node.inputName(index) ?? ""));
  const at = constants.findIndex((c) => c !== undefined);
  if (at >= 0) {
    addToBias(node, 1 - at, constants[at]!);
    return;
  }
  const [a, b] = [node.tensor(0), node.tensor(1)];
  const same = dimsOf(a).join() === dimsOf(b).join() && placesOf(a).join() === placesOf(b).join();
  if (!same || a.flattenedBy || b.flattenedBy)
    node.fail(`two inputs of shape ${showShape(dimsOf(a))} in one order`, showShape(dimsOf(b)));
  const output = node.value(a.value.shape);
  node.emit({
    kind: "add",
    name: node.name,
    inputs: [a.value.name, node.reshaped(b.value, a.value.shape).name],
    output,
  });
  node.give({ ...a, value: output });
};

const addToBias = (node: NodeReader, index: number, constant: Constant): void => {
  const tensor = node.tensor(index);
  const { nodes } = node.graph;
  const at = nodes.findIndex((n) => n.output.name === tensor.value.name);
  const layer = nodes[at];
  const alone = node.graph.uses(node.inputName(index)!) === 1;
  const { values, dims } = constant;
  const rank = dimsOf(tensor).length + 1;
  const broadcast = [...Array(Math.max(0, rank - dims.length)).fill(1), ...dims];
  const others = broadcast.filter((n, axis) => axis !== 1 && n !== 1);
  const hasBias = layer?.kind === "dense" || layer?.kind === "conv" || layer?.kind === "depthwise";
  if (!alone || !hasBias || (values.length !== 1 && (others.length > 0 || values.length !== layer.bias.length))) {
    readArithmetic(node);
    return;
  }
  const bias = layer.bias.map((b, c) => b + values[values.length === 1 ? 0 : c]!);
  const output = node.value(layer.output.shape);
  nodes[at] = { ...layer, bias, output } satisfies Node;
  node.give({ ...tensor, value: output });
};

/** `Identity` and `Dropout`, which after training does nothing. */
export const readIdentity = (node: NodeReader): void => {
  const constant = node.graph.findConstant(node.inputName(0) ?? "");
  if (constant) node.graph.setConstant(node.onnx.output?.[0] ?? "", constant);
  else node.give(node.tensor(0));
};

export const readConstant = (node: NodeReader): void => {
  node.graph.setConstant(node.onnx.output?.[0] ?? "", constantOfNode(node.onnx));
};

/** `Transpose`, which moves nothing in the graph: only the order that the file has changes. */
export const readTranspose = (node: NodeReader): void => {
  const tensor = node.tensorAnyBatch(0);
  const rank = dimsOf(tensor).length + 1;
  const perm = node.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const isPermutation = perm.toSorted((a, b) => a - b).every((n, i) => n === i) && perm.length === rank;
  if (!isPermutation || (tensor.flattenedBy && perm[0] !== 0)) node.fail(`a perm of ${rank} axes`, showShape(perm));
  node.give(tensor.flattenedBy ? tensor : transposed(tensor, perm));
};

/** `Unsqueeze`: axes of size 1 that the graph does without; they are an attribute before opset 13. */
export const readUnsqueeze = (node: NodeReader): void => {
  const tensor = node.tensorAnyBatch(0);
  const given = Array.from(node.optionalConstant(1)?.exact ?? node.ints("axes") ?? node.fail("axes", "none"));
  const before = tensor.flattenedBy ? undefined : axesWithBatch(tensor);
  const rank = (before?.length ?? 2) + given.length;
  const places = given.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  if (!before || places.some((place) => !(place >= 0 && place < rank))) {
    node.fail(`axes below ${rank} of a value that keeps its axes`, showShape(given));
  }
  const shape = [...tensor.shape];
  const axes = [...(before ?? [])];
  for (const place of places) axes.splice(place, 0, shape.push(1) - 1);
  node.give(tensorOfAxes({ ...tensor, shape }, axes));
};

/** `Squeeze` of axes of size 1, which the graph does without; they are an attribute before opset 13. */
export const readSqueeze = (node: NodeReader): void => {
  const tensor = node.tensorAnyBatch(0);
  const all = axesWithBatch(tensor);
  const units = all.flatMap((axis, i) => (axis >= 0 && tensor.shape[axis] === 1 ? [i] : []));
  const given = node.optionalConstant(1)?.exact ?? node.ints("axes") ?? units;
  const dropped = Array.from(given, (axis) => all[axis < 0 ? axis + all.length : axis]);
  if (tensor.flattenedBy || dropped.some((axis) => axis === undefined || tensor.shape[axis] !== 1)) {
    node.fail("axes of size 1, not the batch", showShape(Array.from(given)));
  }
  node.give(
    tensorOfAxes(
      tensor,
      all.filter((axis) => !dropped.includes(axis)),
    ),
  );
};

export const readFlatten = (node: NodeReader): void => {
  const axis = node.int("axis", 1);
  const dims = dimsOf(node.tensor(0));
  if (axis !== 1 && axis !== -dims.length) node.fail("axis 1", axis);
  reshape(node, [sizeOf(dims)]);
};

export const readReshape = (node: NodeReader): void => {
  const before = dimsOf(node.tensor(0));
  const target = Array.from(node.constant(1).exact);
  const size = sizeOf(before);
  const copied = target.map((n, i) =>
    n === 0 && !node.int("allowzero", 0) ? (i === 0 ? 1 : (before[i - 1] ?? 0)) : n,
  );
  const known = sizeOf(copied.filter((n) => n !== -1));
  const dims = copied.map((n) => (n === -1 ? size / known : n));
  const fits = dims.every((n) => Number.isInteger(n) && n > 0) && sizeOf(dims) === size && dims[0] === 1;
  if (!fits) node.fail(`a shape [batch, …] of ${size} elements a sample`, showShape(target));
  reshape(node, dims.slice(1));
};

const reshape = (node: NodeReader, dims: Shape): void => {
  const tensor = node.tensor(0);
  const withUnits = withUnitAxes(tensor, dims);
  if (isOrdered(tensor) && dims.join() === tensor.value.shape.join()) node.give(orderedTensor(tensor.value, dims));
  else if (isOrdered(tensor)) {
    const output = node.value(dims);
    node.emit({ kind: "reshape", name: node.name, inputs: [tensor.value.name], output });
    node.give(orderedTensor(output, dims));
  } else if (withUnits) node.give(withUnits);
  else {
    if (dims.length > 1) node.fail("channels to stay apart or all axes to become one", showShape(dims));
    const output = plainName(node.onnx.output?.[0] ?? node.name);
    node.give({ ...tensor, flattenedBy: tensor.flattenedBy ?? { node: node.name, output } });
  }
};
