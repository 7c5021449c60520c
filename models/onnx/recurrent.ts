import type { GruNode } from "../network/graph.ts";
import type { NodeReader } from "./graph-reader.ts";
import { axesWithBatch, isOrdered, type Tensor } from "./layout.ts";
import { floatType, int64Type, plainName, recurrentState, recurrentSteps } from "./names.ts";
import type { OnnxNode, OnnxTensor } from "./schema.ts";

/**
 * `GRU` in one direction from a state of zeros, with `linear_before_reset` 1, as PyTorch and Keras export it: the
 * state's product is then one matrix, which a crossbar holds. The other form multiplies after the reset.
 */
export const readGru = (node: NodeReader): void => {
  const tensor = node.tensorAnyBatch(0);
  const batchFirst = node.int("layout", 0) === 1;
  if (tensor.flattenedBy || tensor.axes.length !== 2 || (tensor.batchAxis ?? 0) !== (batchFirst ? 0 : 1)) {
    node.fail(`an input [${batchFirst ? "batch, steps" : "steps, batch"}, features]`, "another order of axes");
  }
  const [steps, features] = tensor.axes.map((axis) => tensor.shape[axis]!) as [number, number];
  if (!isOrdered(tensor)) node.fail("time as the outer axis of its input", "features as the outer");
  const direction = node.text("direction", "forward");
  if (direction !== "forward") node.fail("direction forward", direction);
  if (!node.int("linear_before_reset", 0)) node.fail("linear_before_reset 1, as PyTorch and Keras export it", 0);
  const named = node.onnx.attribute?.find(({ name }) => name === "activations" || name === "clip");
  if (named) node.fail("the usual activations without clip", named.name);
  if (node.inputName(4)) node.fail("sequences of one length", "sequence_lens");
  if (node.optionalConstant(5)?.values.some((h) => h !== 0)) node.fail("a state that starts at 0", "another");

  const { dims, values } = node.constant(1, [1, -1, features]);
  const hidden = dims[1]! / 3;
  const recurrent = node.constant(2, [1, 3 * hidden, hidden]).values;
  const biases = node.optionalConstant(3, [1, 6 * hidden])?.values ?? new Float32Array(6 * hidden);
  const [all, last] = [0, 1].map((i) => node.onnx.output?.[i] || undefined);
  const isUsed = (name: string | undefined): name is string => name !== undefined && node.graph.uses(name) > 0;
  if (isUsed(all) === isUsed(last)) node.fail("one of its outputs Y and Y_h to be used", isUsed(all) ? "both" : "none");
  const gives = isUsed(all) ? { name: all, shape: [1, steps, hidden] } : { name: last!, shape: [hidden] };
  const output = { name: plainName(gives.name), shape: gives.shape };
  const value = node.reshaped(tensor.value, [1, steps, features]);
  node.emit({
    ...{ kind: "gru", name: node.name, inputs: [value.name], output, hidden, steps },
    ...{ weights: values.slice(), recurrent: recurrent.slice() },
    ...{ bias: biases.slice(0, 3 * hidden), recurrentBias: biases.slice(3 * hidden) },
  });
  node.graph.setTensor(gives.name, outputTensor(output, isUsed(all), batchFirst));
};

/** Y is `[steps, 1, batch, hidden]`, Y_h `[1, batch, hidden]`; with the batch first it stands before all. */
const outputTensor = (value: GruNode["output"], all: boolean, batchFirst: boolean): Tensor => {
  if (all) return { value, shape: value.shape, axes: [1, 0, 2], batchAxis: batchFirst ? 0 : 2 };
  return { value, shape: [1, value.shape[0]!], axes: [0, 1], batchAxis: batchFirst ? 0 : 1 };
};

/** `Gather` of the last step of a recurrent layer's states, as PyTorch exports `states[:, -1]`: the layer then gives that alone. */
export const readGather = (node: NodeReader): void => {
  const tensor = node.tensorAnyBatch(0);
  const { nodes } = node.graph;
  const at = nodes.findIndex(({ kind, output }) => kind === "gru" && output.name === tensor.value.name);
  const layer = nodes[at];
  const axis = node.int("axis", 0);
  const all = axesWithBatch(tensor);
  const index = node.constant(1, []).exact[0]!;
  if (layer?.kind !== "gru" || all[axis < 0 ? axis + all.length : axis] !== 1) {
    node.fail("one step of a GRU's states", `axis ${axis} of ${layer ? "them" : "another value"}`);
  }
  if (index !== -1 && index !== layer.steps - 1) node.fail("the last step, −1", index);
  const output = node.value([layer.hidden]);
  nodes[at] = { ...layer, output };
  node.giveVector(output);
};

/**
 * A recurrent layer in the file, where time comes first: `[batch, features, 1, steps]` is turned for `GRU`, and its
 * result turned back.
 *
 * @param input, output names in the file, of images channels first
 */
export const writeGru = (
  node: GruNode,
  input: string,
  output: string,
): { nodes: OnnxNode[]; tensors: OnnxTensor[] } => {
  const { name, hidden, weights, recurrent, bias, recurrentBias } = node;
  const keepsAll = node.output.shape.length === 3;
  const result = node.output.name + (keepsAll ? recurrentSteps : recurrentState);
  const perm = (ints: number[]) => [{ name: "perm", ints, type: 7 }];
  const float = (what: string, dims: number[], values: Float32Array): OnnxTensor => ({
    ...{ name: `${name}.${what}`, dims, dataType: floatType, rawData: new Uint8Array(values.slice().buffer) },
  });
  const axis = (what: string, value: number): OnnxTensor => ({
    ...{ name: `${name}.${what}`, dims: [1], dataType: int64Type },
    rawData: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
  });
  const biases = Float32Array.from([...bias, ...recurrentBias]);
  const [turned, steps] = [`${name}:time-first`, `${name}:steps-in`];
  const put = (
    opType: string,
    named: string,
    taken: string[],
    given: string[],
    attribute: OnnxNode["attribute"] = [],
  ) => ({
    ...{ opType, name: named, input: taken, output: given, attribute },
  });
  return {
    tensors: [
      float("weights", [1, 3 * hidden, weights.length / (3 * hidden)], weights),
      float("recurrent", [1, 3 * hidden, hidden], recurrent),
      float("bias", [1, 6 * hidden], biases),
      axis("height-axis", 3),
      ...(keepsAll ? [] : [axis("direction-axis", 0)]),
    ],
    nodes: [
      put("Transpose", `${name}/time-first`, [input], [turned], perm([3, 0, 1, 2])),
      put("Squeeze", `${name}/steps`, [turned, `${name}.height-axis`], [steps]),
      put(
        "GRU",
        name,
        [steps, `${name}.weights`, `${name}.recurrent`, `${name}.bias`],
        keepsAll ? [result] : ["", result],
        [
          { name: "hidden_size", i: hidden, type: 2 },
          { name: "linear_before_reset", i: 1, type: 2 },
        ],
      ),
      keepsAll
        ? put("Transpose", `${name}/channels-first`, [result], [output], perm([2, 3, 1, 0]))
        : put("Squeeze", `${name}/last`, [result, `${name}.direction-axis`], [output]),
    ],
  };
};
