import type { Node } from "../network/graph.ts";
import { type Window, windowOutput } from "../network/layers/window.ts";
import { showShape } from "../network/shapes.ts";
import { sizeOf } from "../tensor.ts";
import type { NodeReader } from "./graph-reader.ts";
import { dimsOf, imageTensor, isOrdered, orderedTensor } from "./layout.ts";

/**
 * `Conv`; `[channels, width]` is read as height 1. One group a channel with one kernel each is depthwise; other groups
 * become a convolution over all channels with zeros between.
 */
export const readConv = (node: NodeReader): void => {
  const { value, shape, rank } = node.image(0);
  const channels = shape[2];
  const group = node.int("group", 1);
  if (group < 1 || channels % group !== 0) node.fail(`a group that divides ${channels} channels`, group);
  const { dims, values } = node.constant(1, [-1, channels / group, ...Array(rank - 1).fill(-1)]);
  const outputs = dims[0]!;
  if (outputs % group !== 0) node.fail(`as many kernels for each of ${group} groups`, outputs);
  const isDepthwise = group === channels && group > 1 && outputs === channels;
  const bias = node.optionalConstant(2, [outputs])?.values.slice() ?? new Float32Array(outputs);
  const window = windowOf(node, dims.slice(2), [shape[0], shape[1]]);
  const output = node.value([...windowOutput(shape[0], shape[1], window), outputs]);
  const taps = window.kernel[0] * window.kernel[1];
  const all = isDepthwise || group === 1 ? values : betweenZeros(values, { outputs, channels, group, taps });
  const weights = isDepthwise ? values.slice() : channelsLast(all, taps, channels);
  const kind = isDepthwise ? "depthwise" : "conv";
  node.emit({ kind, name: node.name, inputs: [value.name], output, ...window, weights, bias });
  node.give(imageTensor(output, rank));
};

/** [outputs][channels of a group][taps] → [outputs][channels][taps], 0 for the channels of other groups. */
const betweenZeros = (
  values: Float32Array,
  { outputs, channels, group, taps }: Readonly<Record<"outputs" | "channels" | "group" | "taps", number>>,
): Float32Array => {
  const each = channels / group;
  const all = new Float32Array(outputs * channels * taps);
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / group)) * each;
    const kernel = values.subarray(o * each * taps, (o + 1) * each * taps);
    all.set(kernel, (o * channels + first) * taps);
  }
  return all;
};

/** `MaxPool` and `AveragePool`; where means count the padding, a node of its own pads. */
export const readPool = (node: NodeReader): void => {
  const { value, shape, rank } = node.image(0);
  const kernel = node.ints("kernel_shape") ?? node.fail("a kernel_shape", "none");
  const { dilation, ...window } = windowOf(node, kernel, [shape[0], shape[1]]);
  if (dilation.some((n) => n !== 1)) node.fail("dilations of 1", showShape(dilation));
  const output = node.value([...windowOutput(shape[0], shape[1], { ...window, dilation }), shape[2]]);
  const kind = node.onnx.opType === "MaxPool" ? "max-pool" : "average-pool";
  const { padding } = window;
  if (kind === "average-pool" && node.int("count_include_pad", 0) && padding.some((n) => n > 0)) {
    const [top, left, bottom, right] = padding;
    const padded = { name: `${node.name}:padded`, shape: [shape[0] + top + bottom, shape[1] + left + right, shape[2]] };
    node.emit({ kind: "pad", name: `${node.name}/pad`, inputs: [value.name], output: padded, padding, value: 0 });
    node.emit({ kind, name: node.name, inputs: [padded.name], output, ...window, padding: [0, 0, 0, 0] });
  } else node.emit({ kind, name: node.name, inputs: [value.name], output, ...window });
  node.give(imageTensor(output, rank));
};

export const readGlobalAveragePool = (node: NodeReader): void => {
  const { value, shape, rank } = node.image(0);
  const output = node.value([shape[2]]);
  node.emit({ kind: "global-average-pool", name: node.name, inputs: [value.name], output });
  node.give({ ...imageTensor({ name: output.name, shape: [1, 1, shape[2]] }, rank), value: output });
};

/** `Gemm` and `MatMul` by a constant matrix; `MatMul` over the features of each step is a convolution of 1 × 1. */
export const readDense = (node: NodeReader): void => {
  const tensor = node.tensor(0);
  if (node.onnx.opType === "MatMul" && !tensor.flattenedBy && dimsOf(tensor).length > 1) {
    readDenseOfSteps(node);
    return;
  }
  const { value, places } = node.vector(0);
  const isGemm = node.onnx.opType === "Gemm";
  if (isGemm && node.int("transA", 0)) node.fail("transA 0", 1);
  const { dims, values } = node.constant(1, [-1, -1]);
  const outputsFirst = isGemm && node.int("transB", 0) !== 0;
  const [outputs, inputs] = (outputsFirst ? dims : dims.toReversed()) as [number, number];
  if (inputs !== places.length) node.fail(`weights for ${places.length} inputs`, inputs);
  const alpha = isGemm ? node.float("alpha", 1) : 1;
  const weights = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      weights[o * inputs + places[i]!] = alpha * values[outputsFirst ? o * inputs + i : i * outputs + o]!;
    }
  }
  const bias = new Float32Array(outputs);
  const given = isGemm ? node.optionalConstant(2) : undefined;
  if (given && given.values.length !== 1 && given.values.length !== outputs) {
    node.fail(`a bias of ${outputs} numbers`, given.values.length);
  }
  if (given) {
    const beta = node.float("beta", 1);
    for (let o = 0; o < outputs; o++) bias[o] = beta * given.values[given.values.length === 1 ? 0 : o]!;
  }
  const output = node.value([outputs]);
  node.emit({ kind: "dense", name: node.name, inputs: [value.name], output, weights, bias });
  node.giveVector(output);
};

const readDenseOfSteps = (node: NodeReader): void => {
  const tensor = node.tensor(0);
  const dims = dimsOf(tensor);
  const inputs = dims.at(-1)!;
  if (!isOrdered(tensor) || dims.length > 3)
    node.fail("the features as the innermost axis", `[batch, ${dims.join(", ")}]`);
  const { dims: size, values } = node.constant(1, [inputs, -1]);
  const outputs = size[1]!;
  const image = dims.length === 2 ? [1, ...dims] : dims;
  const weights = values.map((_, i) => values[(i % inputs) * outputs + Math.floor(i / inputs)]!);
  const value = node.reshaped(tensor.value, image);
  const output = node.value([...image.slice(0, -1), outputs]);
  const once = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;
  const bias = new Float32Array(outputs);
  node.emit({ kind: "conv", name: node.name, inputs: [value.name], output, ...once, weights, bias });
  node.give(orderedTensor(output, [...dims.slice(0, -1), outputs]));
};

/** `BatchNormalization` as it is after training. */
export const readBatchNorm = (node: NodeReader): void => {
  if (node.int("training_mode", 0)) node.fail("training_mode 0", 1);
  const shared = { kind: "batch-norm", name: node.name, epsilon: shortest(node.float("epsilon", 1e-5)) } as const;
  const parameters = (
    channels: number,
    places?: Int32Array,
  ): Pick<BatchNorm, "gamma" | "beta" | "mean" | "variance"> => {
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => {
      const { values } = node.constant(index, [channels]);
      const ordered = values.slice();
      if (places) for (let i = 0; i < channels; i++) ordered[places[i]!] = values[i]!;
      return ordered;
    }) as [Float32Array, Float32Array, Float32Array, Float32Array];
    return { gamma, beta, mean, variance };
  };
  const isVector = node.tensor(0).flattenedBy || node.tensor(0).axes.length === 1;
  if (isVector) {
    const { tensor, value, places } = node.vector(0);
    const output = node.value(value.shape);
    node.emit({ ...shared, ...parameters(places.length, places), inputs: [value.name], output });
    node.give({ ...tensor, value: output });
    return;
  }
  const { value, shape, rank } = node.image(0);
  const output = node.value(shape);
  node.emit({ ...shared, ...parameters(shape[2]), inputs: [value.name], output });
  node.give(imageTensor(output, rank));
};

type BatchNorm = Extract<Node, { kind: "batch-norm" }>;

/** The shortest decimal that is this Float32: 0.00001, not 0.000009999999747378752. */
const shortest = (x: number): number => {
  const short = Number(x.toPrecision(7));
  return Math.fround(short) === x ? short : x;
};

/** [outputs][channels][taps] → [outputs][taps][channels] */
const channelsLast = (weights: Float32Array, taps: number, channels: number): Float32Array =>
  weights.map((_, i) => {
    const channel = i % channels;
    const tap = Math.floor(i / channels) % taps;
    const output = Math.floor(i / (taps * channels));
    return weights[(output * channels + channel) * taps + tap]!;
  });

/** Kernel, strides, dilations and padding of a node over `[height, width]`; one axis becomes height 1. */
const windowOf = (node: NodeReader, kernelDims: readonly number[], size: readonly [number, number]): Window => {
  const axes = kernelDims.length;
  const declared = node.ints("kernel_shape") ?? kernelDims;
  if (declared.join() !== kernelDims.join()) node.fail(`kernel_shape ${showShape(kernelDims)}`, showShape(declared));
  const pair = (values: readonly number[], ofHeight: number): [number, number] => {
    if (values.length !== axes || axes > 2) node.fail(`${Math.min(axes, 2)} spatial axes`, values.length);
    return axes === 1 ? [ofHeight, values[0]!] : [values[0]!, values[1]!];
  };
  const ones = kernelDims.map(() => 1);
  const kernel = pair(kernelDims, 1);
  const stride = pair(node.ints("strides") ?? ones, 1);
  const dilation = pair(node.ints("dilations") ?? ones, 1);
  const pads = node.ints("pads") ?? [...ones, ...ones].map(() => 0);
  const begin = pair(pads.slice(0, axes), 0);
  const end = pair(pads.slice(axes), 0);
  const auto = node.text("auto_pad", "NOTSET");
  if (!["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(auto)) node.fail("a known auto_pad", auto);
  if (auto.startsWith("SAME")) {
    for (const axis of [0, 1] as const) {
      const steps = Math.ceil(size[axis] / stride[axis]) - 1;
      const total = Math.max(0, steps * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - size[axis]);
      const less = Math.floor(total / 2);
      begin[axis] = auto === "SAME_UPPER" ? less : total - less;
      end[axis] = total - begin[axis];
    }
  }
  const window = { kernel, stride, dilation, padding: [begin[0], begin[1], end[0], end[1]] } as const;
  const output = windowOutput(size[0], size[1], window);
  if (Math.min(...output) < 1 || sizeOf(stride) < 1)
    node.fail(`a window that fits into ${showShape(size)}`, showShape(kernel));
  if (node.int("ceil_mode", 0)) {
    const rests = [0, 1].map((axis) => {
      const span = dilation[axis]! * (kernel[axis]! - 1) + 1;
      return (size[axis]! + begin[axis]! + end[axis]! - span) % stride[axis]!;
    });
    if (rests.some((rest) => rest > 0)) node.fail("ceil_mode 0 where the windows leave a rest", 1);
  }
  return window;
};
