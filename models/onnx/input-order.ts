import { constantOf } from "./constants.ts";
import type { OnnxGraph, OnnxNode, OnnxTensor } from "./schema.ts";

const elementwise = ["Identity", "Dropout", "Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "Cast"];
const takesAnyOrder = ["Flatten", "Reshape", "Squeeze", "Unsqueeze", "GRU", "MatMul", "Shape"];

/**
 * Whether the first nodes that look at the axes of an input want channels first. A file that transposes or flattens
 * first does not; a constant `[channels, 1, 1]`, a border behind the second axis or a mean over the axes from the third on
 * say so as a convolution does.
 */
export const isChannelsFirst = (file: OnnxGraph, input: string): boolean => {
  const names = new Set([input]);
  for (const node of file.node ?? []) {
    if (!node.input?.some((name) => names.has(name)) || takesAnyOrder.includes(node.opType)) continue;
    const tells = elementwise.includes(node.opType) ? undefined : hintOf(file, node);
    if (tells !== undefined) return tells;
    names.add(node.output?.[0] ?? "");
  }
  return false;
};

/** What one node says, undefined where it does not. */
const hintOf = (file: OnnxGraph, node: OnnxNode): boolean | undefined => {
  const attribute = (name: string) => node.attribute?.find((a) => a.name === name);
  switch (node.opType) {
    case "Add":
    case "Sub":
    case "Mul":
    case "Div": {
      const dims = [0, 1].flatMap((i) => constantAt(file, node, i)?.dims ?? []);
      const axis = dims.findIndex((n) => n > 1);
      return axis < 0 ? undefined : axis < dims.length - 1;
    }
    case "Pad": {
      const pads = numbersAt(file, node, 1) ?? attribute("pads")?.ints ?? [];
      const rank = pads.length / 2;
      const has = (axis: number): boolean => Boolean(pads[axis] || pads[axis + rank]);
      return has(1) ? false : has(rank - 1) ? true : undefined;
    }
    case "Transpose": {
      const perm = attribute("perm")?.ints ?? [];
      return perm.length === 4 && perm[0] === 0 && perm[3] === 1; // to channels last
    }
    case "ReduceMean":
      return !(numbersAt(file, node, 1) ?? attribute("axes")?.ints ?? []).includes(1);
    case "Concat":
      return attribute("axis")?.i === 1;
    case "Softmax":
      return undefined;
    default:
      return true;
  }
};

/** The constant among a node's inputs, an initialiser or a node's value. */
const constantAt = (file: OnnxGraph, node: OnnxNode, index: number): OnnxTensor | undefined => {
  const name = node.input?.[index];
  const initializer = file.initializer?.find((tensor) => tensor.name === name);
  const constant = file.node?.find(({ opType, output }) => opType === "Constant" && output?.[0] === name);
  return initializer ?? constant?.attribute?.find(({ t }) => t)?.t;
};

const numbersAt = (file: OnnxGraph, node: OnnxNode, index: number): readonly number[] | undefined => {
  const tensor = constantAt(file, node, index);
  return tensor && Array.from(constantOf(tensor, node.input?.[index] ?? "").exact);
};
