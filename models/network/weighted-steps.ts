import type { Arena } from "../crossbar/kernels/arena.ts";
import type { LayerKernel } from "../crossbar/kernels/layers-simd.ts";
import type { Windows } from "../crossbar/windows.ts";
import type { Shape } from "../tensor.ts";
import type { GruNode } from "./graph.ts";
import { tapPositions, unfoldingOf } from "./layers/unfolding.ts";
import { type Part, type Product, partsOf, rowsOf, type WeightedNode } from "./parts.ts";

/** What a relu after the weights leaves: −∞ … ∞ without one. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Gives `y[rows × channels of the part]` from the whole image x: each channel by its own column. */
export type ColumnsOf = (part: Part, windows: Windows) => (x: Float32Array, y: Float32Array) => void;

export interface WeightedOptions {
  readonly arena: Arena;
  readonly layers: LayerKernel;
  readonly productOf: (part: Part) => Product;
  readonly columnsOf?: ColumnsOf;
  readonly depthwise: { readonly tileInputs: number; readonly tileOutputs: number } | "direct";
}

/** The steps of a layer with weights but no state: windows, product, bias and bounds. */
export const weightedSteps = (
  node: Exclude<WeightedNode, GruNode>,
  x: Float32Array,
  input: Shape,
  y: Float32Array,
  unfolded: Float32Array,
  { low, high }: Bounds,
  { arena, layers, productOf, columnsOf, depthwise: packing }: WeightedOptions,
): (() => void)[] => {
  const { shape } = node.output;
  const channels = node.bias.length;
  const rows = rowsOf(node);
  const keep = <T extends Float32Array | Int32Array>(values: T, room: T): T => {
    room.set(values);
    return room;
  };
  const bias = keep(node.bias, arena.float32(channels)).byteOffset;
  const unfoldWith = node.kind !== "dense" && !isPointwise(node);
  const taps = unfoldWith ? tapPositions(unfoldingOf(node, input, shape, 0, 1)) : undefined;
  const places = taps ? keep(taps, arena.int32(taps.length)).byteOffset : 0;
  const [from, to] = [x.byteOffset, y.byteOffset];

  if (node.kind === "depthwise" && packing === "direct") {
    const count = node.kernel[0] * node.kernel[1];
    const weights = arena.float32(channels * count);
    for (let i = 0; i < weights.length; i++)
      weights[i] = node.weights[(i % channels) * count + Math.floor(i / channels)]!;
    return [
      () => layers.depthwise(from, weights.byteOffset, to, places, rows, count, channels),
      () => layers.addBias(to, to, channels, bias, rows, channels, low, high),
    ];
  }
  const tile = packing === "direct" ? { tileInputs: 1, tileOutputs: 1 } : packing;
  return partsOf(node, rows, tile).flatMap((part) => {
    const partial = part.outputs === channels ? y : arena.float32(rows * part.outputs);
    const { outputFrom, outputs } = part;
    const finish = (): void =>
      layers.addBias(
        partial.byteOffset,
        to + 4 * outputFrom,
        channels,
        bias + 4 * outputFrom,
        rows,
        outputs,
        low,
        high,
      );
    const stride = input.at(-1)!;
    if (taps && part.columns && columnsOf) {
      const windows = { positions: input[0]! * input[1]!, stride, from: outputFrom, taps };
      const product = columnsOf(part, windows);
      return [() => product(x, partial), finish];
    }
    const product = productOf(part);
    if (!taps || node.kind === "dense") return [() => product(x, partial, rows), finish];
    const taken = part.inputs / (node.kernel[0] * node.kernel[1]);
    const first = from + 4 * outputFrom * (node.kind === "depthwise" ? 1 : 0);
    const columns = new Float32Array(unfolded.buffer, unfolded.byteOffset, rows * part.inputs);
    const unfold = (): void => layers.gather(first, columns.byteOffset, places, taps.length, stride, taken);
    return [unfold, () => product(columns, partial, rows), finish];
  });
};

/** A kernel of 1 × 1 at every position: the input is its own unfolding. */
const isPointwise = (node: WeightedNode): boolean =>
  node.kind === "conv" && [...node.kernel, ...node.stride].every((n) => n === 1) && node.padding.every((n) => n === 0);
