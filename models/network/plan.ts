import type { Arena } from "../crossbar/kernels/arena.ts";
import { type LayerKernel, layersSimd } from "../crossbar/kernels/layers-simd.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { affineOf } from "./fold-batch-norm.ts";
import type { DepthwiseNode, Graph, Node } from "./graph.ts";
import { clamp, leakyRelu, sigmoid, softmax, tanh } from "./layers/activation.ts";
import { add, concat, pad, scaleAndShift } from "./layers/elementwise.ts";
import { gruSteps } from "./layers/gru.ts";
import { averagePool, maxPool } from "./layers/pool.ts";
import { unfoldingOf } from "./layers/unfolding.ts";
import { isWeighted, type Part, type Product, partsOf, rowsOf } from "./parts.ts";
import { checkGraph, countUses, showShape } from "./shapes.ts";
import { type Bounds, type ColumnsOf, weightedSteps } from "./weighted-steps.ts";

export interface PlanOptions {
  /** Takes every buffer of the plan. */
  readonly arena: Arena;
  /** Called once for each matrix, in the order of the graph. */
  readonly productOf: (part: Part) => Product;
  /** Gives the product of a depthwise part whose columns have inputs of their own; without it: `productOf`. */
  readonly columnsOf?: ColumnsOf;
  /** Sizes of the tiles that depthwise layers are packed for; `"direct"`: plain loops, no product. */
  readonly depthwise: { readonly tileInputs: number; readonly tileOutputs: number } | "direct";
}

/** A network laid out: the buffers and the steps of one inference. */
export interface Plan {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Run one sample. Allocates nothing. @throws RangeError when a length does not fit */
  infer(input: Float32Array, output: Float32Array): void;
  /** What is carried from one inference to the next, in the order of the graph. */
  readonly states: readonly Float32Array[];
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
  const layers = layersSimd(arena);
  const uses = countUses(graph);
  const values = new Map<string, { data: Float32Array; shape: Shape }>();
  const first = arena.float32(sizeOf(graph.input.shape));
  values.set(graph.input.name, { data: first, shape: graph.input.shape });
  const unfolded = arena.float32(mostUnfolded(graph));
  const steps: (() => void)[] = [];
  const fused = new Set<string>();
  const states: Float32Array[] = [];

  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!);
    const { data: x, shape } = inputs[0]!;
    const inPlace = canWorkInPlace(node) && uses.get(node.inputs[0]!) === 1 && x !== first;
    const y = inPlace ? x : arena.float32(sizeOf(node.output.shape));
    values.set(node.output.name, { data: y, shape: node.output.shape });
    if (node.kind === "gru") {
      const parts = partsOf(node, rowsOf(node), { tileInputs: 1, tileOutputs: 1 });
      steps.push(...gruSteps(node, parts, { x, y, arena, states }, options.productOf));
    } else if (isWeighted(node)) {
      const next = graph.nodes.find((n) => n.inputs.includes(node.output.name));
      const bounds = next && uses.get(node.output.name) === 1 ? boundsOf(next) : undefined;
      if (next && bounds) fused.add(next.name);
      steps.push(...weightedSteps(node, x, shape, y, unfolded, bounds ?? unbounded, { ...options, layers }));
    } else if (!fused.has(node.name)) steps.push(plainStep(node, inputs, y, layers));
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
    states,
  };
};

/** Bytes of the plan's own buffers, an upper bound: one a value, windows and their places, a product a part. */
export const planBytes = (graph: Graph): number => {
  const gates = graph.nodes.map((node) => (node.kind === "gru" ? (node.steps + 2) * 12 * node.hidden + 4096 : 0));
  const sizes = [graph.input, ...graph.nodes.map((n) => n.output)].map(
    (v) => sizeOf(v.shape) * 8 + 64 * v.shape.at(-1)! + 4096,
  );
  const windows = graph.nodes.map((node) =>
    node.kind === "conv" || node.kind === "depthwise" ? 4 * rowsOf(node) * node.kernel[0] * node.kernel[1] + 64 : 0,
  );
  return [...sizes, ...gates, ...windows].reduce((a, b) => a + b, mostUnfolded(graph) * 4 + 4096);
};

const unbounded: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

const boundsOf = (node: Node): Bounds | undefined => {
  if (node.kind === "clip") return node;
  return node.kind === "relu" || node.kind === "relu6"
    ? { low: 0, high: node.kind === "relu" ? Infinity : 6 }
    : undefined;
};

const worksInPlace: readonly Node["kind"][] = [
  ...(["reshape", "relu", "relu6", "clip", "leaky-relu", "sigmoid", "tanh", "softmax", "batch-norm"] as const),
];
const canWorkInPlace = ({ kind }: Node): boolean => worksInPlace.includes(kind);

const plainStep = (
  node: Node,
  inputs: readonly { data: Float32Array; shape: Shape }[],
  y: Float32Array,
  layers: LayerKernel,
) => {
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
      return () => layers.mean(x.byteOffset, y.byteOffset, positions, y.length);
    }
    case "batch-norm": {
      const { scale, shift } = affineOf(node);
      return () => scaleAndShift(x, y, scale, shift);
    }
    case "leaky-relu": {
      const { slope } = node;
      return () => leakyRelu(x, y, slope);
    }
    case "pad": {
      const { padding, value } = node;
      const [height, width, channels] = shape as readonly [number, number, number];
      return () => pad(x, y, { height, width, channels, padding, value });
    }
    case "concat": {
      const parts = inputs.map(({ data, shape: s }) => ({ data, channels: s.at(-1)! }));
      return () => concat(parts, y, output.at(-1)!);
    }
    case "clip":
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
