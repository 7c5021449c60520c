import type { Arena } from "../crossbar/kernels/arena.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { affineOf } from "./fold-batch-norm.ts";
import type { DepthwiseNode, Graph, GruNode, Node } from "./graph.ts";
import { clamp, sigmoid, softmax, tanh } from "./layers/activation.ts";
import { depthwise } from "./layers/depthwise.ts";
import { add, addBias, scaleAndShift } from "./layers/elementwise.ts";
import { gruSteps } from "./layers/gru.ts";
import { im2col, type Unfolding } from "./layers/im2col.ts";
import { averagePool, globalAveragePool, maxPool } from "./layers/pool.ts";
import type { Window } from "./layers/window.ts";
import { isWeighted, type Part, type Product, partsOf, rowsOf, type WeightedNode } from "./parts.ts";
import { checkGraph, countUses, showShape } from "./shapes.ts";

export interface PlanOptions {
  /** Takes every buffer of the plan. */
  readonly arena: Arena;
  /** Called once for each matrix, in the order of the graph. */
  readonly productOf: (part: Part) => Product;
  /** Sizes of the tiles that depthwise layers are packed for; `"direct"`: plain loops, no product. */
  readonly depthwise: { readonly tileInputs: number; readonly tileOutputs: number } | "direct";
}

/** A network laid out: the buffers and the steps of one inference. */
export interface Plan {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Run one sample. Allocates nothing. @throws RangeError when a length does not fit */
  infer(input: Float32Array, output: Float32Array): void;
}

/**
 * Lay out a graph: one buffer a value, except where a step can work in place (a reshape or an activation that is
 * the only reader of its input), and one shared buffer for the unfolded windows. The bounds of a relu that follows
 * weights are applied as the bias is added.
 *
 * @throws ModelError when the graph does not fit together
 */
export const plan = (graph: Graph, options: PlanOptions): Plan => {
  checkGraph(graph);
  const { arena } = options;
  const uses = countUses(graph);
  const values = new Map<string, { data: Float32Array; shape: Shape }>();
  const first = arena.float32(sizeOf(graph.input.shape));
  values.set(graph.input.name, { data: first, shape: graph.input.shape });
  const unfolded = arena.float32(mostUnfolded(graph));
  const steps: (() => void)[] = [];
  const fused = new Set<string>();

  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!);
    const { data: x, shape } = inputs[0]!;
    const inPlace = canWorkInPlace(node) && uses.get(node.inputs[0]!) === 1 && x !== first;
    const y = inPlace ? x : arena.float32(sizeOf(node.output.shape));
    values.set(node.output.name, { data: y, shape: node.output.shape });
    if (node.kind === "gru") {
      const parts = partsOf(node, rowsOf(node), { tileInputs: 1, tileOutputs: 1 });
      steps.push(...gruSteps(node, parts, { x, y, arena }, options.productOf));
    } else if (isWeighted(node)) {
      const next = graph.nodes.find((n) => n.inputs.includes(node.output.name));
      const bounds = next && uses.get(node.output.name) === 1 ? boundsOf(next) : undefined;
      if (next && bounds) fused.add(next.name);
      steps.push(...weightedSteps(node, x, shape, y, unfolded, bounds ?? unbounded, options));
    } else if (!fused.has(node.name)) steps.push(plainStep(node, inputs, y));
  }

  const last = values.get(graph.output.name)!.data;
  const shapes = { inputShape: graph.input.shape, outputShape: graph.output.shape };
  return {
    ...shapes,
    infer(input, output) {
      if (input.length !== first.length) throw misfit("input", shapes.inputShape, input.length);
      if (output.length !== last.length) throw misfit("output", shapes.outputShape, output.length);
      first.set(input);
      for (let s = 0; s < steps.length; s++) steps[s]!();
      output.set(last);
    },
  };
};

/** Bytes of the plan's own buffers, an upper bound: one a value, the unfolded windows, and a product a part. */
export const planBytes = (graph: Graph): number => {
  const gates = graph.nodes.map((node) => (node.kind === "gru" ? (node.steps + 2) * 12 * node.hidden + 4096 : 0));
  const sizes = [graph.input, ...graph.nodes.map((n) => n.output)].map(
    (v) => sizeOf(v.shape) * 8 + 64 * v.shape.at(-1)! + 4096,
  );
  return [...sizes, ...gates].reduce((a, b) => a + b, mostUnfolded(graph) * 4 + 4096);
};

/** The window of a layer over an input `[height, width, channels]`, for the channels `from … from + channels`. */
const unfoldingOf = (node: Window, input: Shape, output: Shape, from: number, channels: number): Unfolding => ({
  kernel: node.kernel,
  stride: node.stride,
  dilation: node.dilation,
  padding: node.padding,
  height: input[0]!,
  width: input[1]!,
  inputChannels: input[2]!,
  channelFrom: from,
  channels,
  outputHeight: output[0]!,
  outputWidth: output[1]!,
});

interface Bounds {
  readonly low: number;
  readonly high: number;
}
const unbounded: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

const boundsOf = (node: Node): Bounds | undefined =>
  node.kind === "relu" || node.kind === "relu6" ? { low: 0, high: node.kind === "relu" ? Infinity : 6 } : undefined;

const canWorkInPlace = ({ kind }: Node): boolean =>
  ["reshape", "relu", "relu6", "sigmoid", "tanh", "softmax", "batch-norm"].includes(kind);

const weightedSteps = (
  node: Exclude<WeightedNode, GruNode>,
  x: Float32Array,
  input: Shape,
  y: Float32Array,
  unfolded: Float32Array,
  bounds: Bounds,
  { arena, productOf, depthwise: packing }: PlanOptions,
): (() => void)[] => {
  const { shape } = node.output;
  const channels = node.bias.length;
  const rows = rowsOf(node);
  if (node.kind === "depthwise" && packing === "direct") {
    const unfolding = unfoldingOf(node, input, shape, 0, channels);
    const all = { rows, from: 0, ...bounds };
    return [() => depthwise(x, node.weights, y, unfolding), () => addBias(y, y, node.bias, all)];
  }
  const tile = packing === "direct" ? { tileInputs: 1, tileOutputs: 1 } : packing;
  return partsOf(node, rows, tile).flatMap((part) => {
    const product = productOf(part);
    const partial = part.outputs === channels ? y : arena.float32(rows * part.outputs);
    const place = { rows, from: part.outputFrom, ...bounds };
    const finish = (): void => addBias(partial, y, node.bias, place);
    if (node.kind === "dense" || isPointwise(node)) return [() => product(x, partial, rows), finish];
    const taken = part.inputs / (node.kernel[0] * node.kernel[1]);
    const unfolding = unfoldingOf(node, input, shape, part.outputFrom * (node.kind === "depthwise" ? 1 : 0), taken);
    const columns = new Float32Array(unfolded.buffer, unfolded.byteOffset, rows * part.inputs);
    return [() => im2col(x, columns, unfolding), () => product(columns, partial, rows), finish];
  });
};

/** A kernel of 1 × 1 at every position: the input is its own unfolding. */
const isPointwise = (node: WeightedNode): boolean =>
  node.kind === "conv" && [...node.kernel, ...node.stride].every((n) => n === 1) && node.padding.every((n) => n === 0);

const plainStep = (node: Node, inputs: readonly { data: Float32Array; shape: Shape }[], y: Float32Array) => {
  const { data: x, shape } = inputs[0]!;
  const output = node.output.shape;
  switch (node.kind) {
    case "max-pool":
    case "average-pool": {
      const unfolding = unfoldingOf({ ...node, dilation: [1, 1] }, shape, output, 0, shape[2]!);
      return node.kind === "max-pool" ? () => maxPool(x, y, unfolding) : () => averagePool(x, y, unfolding);
    }
    case "global-average-pool": {
      const positions = shape[0]! * shape[1]!;
      return () => globalAveragePool(x, y, positions);
    }
    case "batch-norm": {
      const { scale, shift } = affineOf(node);
      return () => scaleAndShift(x, y, scale, shift);
    }
    case "relu":
    case "relu6": {
      const { low, high } = boundsOf(node)!;
      return () => clamp(x, y, low, high);
    }
    case "sigmoid":
      return () => sigmoid(x, y);
    case "tanh":
      return () => tanh(x, y);
    case "softmax": {
      const channels = shape.at(-1) ?? 1;
      return () => softmax(x, y, channels);
    }
    case "add": {
      const b = inputs[1]!.data;
      return () => add(x, b, y);
    }
    case "reshape":
      return x === y ? () => {} : () => y.set(x);
    default:
      throw new Error(`${(node as DepthwiseNode).kind}: expected a layer without weights`);
  }
};

/** Elements of the largest unfolding, at most: every window of every channel. */
const mostUnfolded = (graph: Graph): number =>
  graph.nodes.reduce((most, node) => {
    if (node.kind !== "conv" && node.kind !== "depthwise") return most;
    const perRow = node.kind === "conv" ? node.weights.length / node.bias.length : node.weights.length;
    return Math.max(most, (sizeOf(node.output.shape) / node.bias.length) * perRow);
  }, 1);

const misfit = (what: string, shape: Shape, got: number): RangeError =>
  new RangeError(`${what}: expected ${sizeOf(shape)} numbers for shape ${showShape(shape)}, got ${got}`);
