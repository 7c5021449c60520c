import { showShape } from "../network/shapes.ts";
import { sizeOf } from "../tensor.ts";
import type { Constant } from "./constants.ts";
import type { NodeReader } from "./graph-reader.ts";
import { dimsOf, type Tensor } from "./layout.ts";

/** `Mul`, `Sub`, `Div` and, where no bias takes it, `Add` of a constant: `y = scale · x + shift` a channel. */
export const readArithmetic = (node: NodeReader): void => {
  const constants = [0, 1].map((index) => node.graph.findConstant(node.inputName(index) ?? ""));
  const at = constants.findIndex((constant) => constant !== undefined);
  const type = node.onnx.opType;
  if (at < 0) node.fail("one of its inputs to be a constant", "two computed values");
  if (at === 0 && type === "Div") node.fail("a constant as the divisor", "one as the dividend");
  const constant = constants[at]!;
  readAffine(node, 1 - at, constant, (c) => {
    if (type === "Mul") return { scale: c, shift: 0 };
    if (type === "Div") return { scale: 1 / c, shift: 0 };
    if (type === "Add") return { scale: 1, shift: c };
    return at === 0 ? { scale: -1, shift: c } : { scale: 1, shift: -c };
  });
};

/** scikit-learn's scalers: `y = (x − offset) · scale` a feature. */
export const readScaler = (node: NodeReader): void => {
  const tensor = node.tensor(0);
  const features = sizeOf(dimsOf(tensor));
  const [offset, scale] = ["offset", "scale"].map((name) => {
    const list = node.floats(name) ?? [name === "scale" ? 1 : 0];
    if (list.length !== 1 && list.length !== features) node.fail(`1 or ${features} numbers as ${name}`, list.length);
    return list;
  }) as [readonly number[], readonly number[]];
  const of = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i]!;
  const exact = Array.from({ length: features }, (_, i) => i);
  const index: Constant = { dims: [features], exact, values: Float32Array.from(exact) };
  readAffine(node, 0, index, (i) => ({ scale: of(scale, i), shift: -of(offset, i) * of(scale, i) }));
};

/**
 * A batch normalisation that stands for `f` of the constant's numbers: one number, or one a channel.
 *
 * @param index of the input that is computed
 */
export const readAffine = (
  node: NodeReader,
  index: number,
  constant: Constant,
  f: (number: number) => { readonly scale: number; readonly shift: number },
): void => {
  const tensor = node.tensor(index);
  const dims = dimsOf(tensor);
  const isVector = tensor.flattenedBy !== undefined || dims.length === 1;
  const { value, places } = isVector ? node.vector(index) : { value: tensor.value, places: undefined };
  const channels = value.shape.at(-1) ?? 1;
  const single = constant.values.length === 1;
  if (!single) expectChannels(node, tensor, constant, isVector);
  const [gamma, beta] = [new Float32Array(channels), new Float32Array(channels)];
  for (let c = 0; c < channels; c++) {
    const { scale, shift } = f(constant.exact[single ? 0 : c]!);
    const at = places && !single ? places[c]! : c;
    gamma[at] = scale;
    beta[at] = shift;
  }
  const output = node.value(value.shape);
  const [mean, variance] = [new Float32Array(channels), new Float32Array(channels).fill(1)];
  const parameters = { gamma, beta, mean, variance, epsilon: 0 };
  node.emit({ kind: "batch-norm", name: node.name, inputs: [value.name], output, ...parameters });
  node.give({ ...tensor, value: output });
};

/** The constant must have all its numbers along the axis of the channels. */
const expectChannels = (node: NodeReader, tensor: Tensor, { dims, values }: Constant, isVector: boolean): void => {
  const rank = dimsOf(tensor).length + 1;
  const broadcast = [...Array(Math.max(0, rank - dims.length)).fill(1), ...dims];
  const moving = broadcast.flatMap((n, axis) => (n !== 1 ? [axis] : []));
  const axis = moving[0]! - 1;
  const size = dimsOf(tensor)[axis];
  const last = tensor.shape.findLastIndex((n) => n > 1);
  const isChannel = isVector || tensor.axes[axis] === Math.max(last, 0);
  if (moving.length !== 1 || broadcast.length !== rank || !isChannel || values.length !== size) {
    node.fail(
      `a constant of one number or one a channel for ${showShape(["batch", ...dimsOf(tensor)] as number[])}`,
      showShape(dims),
    );
  }
};
