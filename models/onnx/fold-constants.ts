import { sizeOf } from "../tensor.ts";
import type { Constant } from "./constants.ts";
import type { NodeReader } from "./graph-reader.ts";
import { axesWithBatch, dimsOf } from "./layout.ts";

/**
 * Work out a node that depends on no input's numbers: sizes taken of a value (`Shape`, with a batch of one) and what is
 * computed of them, as PyTorch exports `x.view(x.size(0), -1)`. @returns whether the node was such a one
 */
export const foldConstant = (node: NodeReader): boolean => {
  if (node.onnx.opType === "Shape") return give(node, shapeOf(node));
  const fold = folds[node.onnx.opType];
  const names = (node.onnx.input ?? []).filter(Boolean);
  const inputs = names.map((name) => node.graph.findConstant(name));
  if (!fold || inputs.length === 0 || inputs.some((constant) => constant === undefined)) return false;
  return give(node, fold(node, inputs as Constant[]));
};

const give = (node: NodeReader, constant: Constant): boolean => {
  node.graph.setConstant(node.onnx.output?.[0] ?? "", constant);
  return true;
};

const constantOf = (
  numbers: readonly number[],
  dims: readonly number[],
  kind: "float" | "integer" = "integer",
): Constant => {
  const values = Float32Array.from(numbers);
  return { dims, values, exact: kind === "float" ? values : numbers };
};

const isFloat = ({ exact }: Constant): boolean => exact instanceof Float32Array;

const shapeOf = (node: NodeReader): Constant => {
  const tensor = node.tensorAnyBatch(0);
  const dims = tensor.flattenedBy
    ? [1, ...dimsOf(tensor)]
    : axesWithBatch(tensor).map((axis) => (axis < 0 ? 1 : tensor.shape[axis]!));
  const [from, to] = [node.int("start", 0), node.int("end", dims.length)];
  const part = dims.slice(from, to);
  return constantOf(part, [part.length]);
};

type Fold = (node: NodeReader, inputs: readonly Constant[]) => Constant;

const elementwise =
  (f: (a: number, b: number, isInteger: boolean) => number): Fold =>
  (node, [a, b]) => {
    if (!a || !b) return node.fail("two inputs", node.onnx.input?.length ?? 0);
    const [many, one] = a.exact.length >= b.exact.length ? [a, b] : [b, a];
    if (one.exact.length !== 1 && one.dims.join() !== many.dims.join()) {
      node.fail("constants of one shape, or one of them a single number", `[${a.dims}] and [${b.dims}]`);
    }
    const at = (c: Constant, i: number): number => c.exact[c.exact.length === 1 ? 0 : i]!;
    const kind = isFloat(a) || isFloat(b) ? "float" : "integer";
    const numbers = Array.from({ length: many.exact.length }, (_, i) => f(at(a, i), at(b, i), kind === "integer"));
    return constantOf(numbers, many.dims, kind);
  };

const same: Fold = (_, [x]) => x!;
/** Lists alone are needed of these: what sizes are made of. */
const list = (node: NodeReader, { dims, exact }: Constant): number[] =>
  dims.length <= 1 ? Array.from(exact) : node.fail("a list of numbers", `[${dims}]`);

const folds: Readonly<Record<string, Fold>> = {
  Add: elementwise((a, b) => a + b),
  Cast: same,
  Concat: (node, inputs) => {
    const all = inputs.flatMap((constant) => list(node, constant));
    return constantOf(all, [all.length], inputs.some(isFloat) ? "float" : "integer");
  },
  Div: elementwise((a, b, isInteger) => (isInteger ? Math.trunc(a / b) : a / b)),
  Gather: (node, [x, index]) => {
    const values = list(node, x!);
    const picked = Array.from(index!.exact, (i) => values[i < 0 ? i + values.length : i] ?? Number.NaN);
    if (picked.some(Number.isNaN)) node.fail(`indices below ${values.length}`, Array.from(index!.exact).join(", "));
    return constantOf(picked, index!.dims);
  },
  Mul: elementwise((a, b) => a * b),
  Reshape: (node, [x, shape]) => {
    const rest = x!.exact.length / sizeOf(Array.from(shape!.exact).filter((n) => n !== -1));
    const dims = Array.from(shape!.exact, (n) => (n === -1 ? rest : n));
    return sizeOf(dims) === x!.exact.length ? { ...x!, dims } : node.fail(`${x!.exact.length} numbers`, `[${dims}]`);
  },
  Slice: (node, [x, starts, ends, axes, steps]) => {
    const values = list(node, x!);
    const [from, to] = [starts?.exact[0] ?? node.ints("starts")?.[0], ends?.exact[0] ?? node.ints("ends")?.[0]];
    const isOpen = from === undefined || to === undefined;
    if (isOpen || (axes?.exact[0] ?? 0) !== 0 || (steps?.exact[0] ?? 1) !== 1) {
      return node.fail("starts and ends along axis 0 in steps of 1", "others");
    }
    const part = values.slice(from ?? 0, to);
    return constantOf(part, [part.length]);
  },
  Squeeze: (_, [x]) => ({ ...x!, dims: x!.dims.filter((n) => n !== 1) }),
  Sub: elementwise((a, b) => a - b),
  Transpose: (node, [x]) => {
    const [rows = 1, columns = 1] = x!.dims;
    if (x!.dims.length !== 2) return x!.dims.length < 2 ? x! : node.fail("a matrix", `[${x!.dims}]`);
    const turned = Array.from(
      { length: rows * columns },
      (_, i) => x!.exact[(i % rows) * columns + Math.floor(i / rows)]!,
    );
    return constantOf(turned, [columns, rows], isFloat(x!) ? "float" : "integer");
  },
  Unsqueeze: (node, [x, axes]) => {
    const at = Array.from(axes?.exact ?? node.ints("axes") ?? [0]);
    return x!.dims.length === 0 ? { ...x!, dims: [1] } : { ...x!, dims: x!.dims.toSpliced(at[0]!, 0, 1) };
  },
};
