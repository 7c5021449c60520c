import { Arena } from "../crossbar/kernels/arena.ts";
import { floatSimd } from "../crossbar/kernels/float-simd.ts";
import { tilesOf } from "../crossbar/mapping.ts";
import type { Mapping } from "../manifest.ts";
import { sizeOf } from "../tensor.ts";
import { kernelScratchBytes } from "./digital.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import type { Graph } from "./graph.ts";
import { isWeighted, type Part, type Product, partsOf, rowsOf } from "./parts.ts";
import { plan, planBytes } from "./plan.ts";

export interface CalibrationOptions extends Omit<Mapping, "ranges"> {
  /** Width of one int8 code of the graph's input: the layers that take it get DACs of `±127 · inputScale`. */
  readonly inputScale?: number;
  /** Full scale of the DACs by node, as training learned them; for the nodes that are not here by the samples. */
  readonly inputMax?: Readonly<Record<string, number>>;
}

/** Of the inputs that are not zero, this part lies within the DACs' range; the rest, outliers, is clipped. */
export const inputQuantile = 0.9999;

/** The ADC's range over the largest partial sum that the samples gave: programming noise may add some. */
export const outputHeadroom = 1.1;

/**
 * The ranges of all converters, from a digital run of real samples:
 *
 *   inputMax      = the 99.99 % quantile of |x| ≠ 0 (to 1.1 % upwards), or 127 · inputScale at the graph's input
 *   tileOutputMax = 1.1 · max |partial sum| of that tile
 *
 * Ranges are symmetric, after a relu too. Batch normalisation is folded first, as `AnalogNetwork` does.
 *
 * @param samples each of the input's size; a hundred or more of the training data
 * @throws ModelError when the graph does not fit together, RangeError without samples
 */
export const calibrateRanges = (
  graph: Graph,
  samples: readonly Float32Array[],
  { inputScale, inputMax: learned = {}, dacBits, adcBits, tileInputs, tileOutputs }: CalibrationOptions,
): Mapping => {
  if (samples.length === 0) throw new RangeError("samples: expected at least one, got none");
  const folded = foldBatchNorm(graph);
  const arena = new Arena(planBytes(folded) + pieceBytes(folded, tileInputs, tileOutputs) + kernelScratchBytes);
  const kernel = floatSimd(arena);
  const inputs = new Map<string, QuantileSketch>();
  const outputs = new Map<string, { max: number }[]>();

  const productOf = (part: Part): Product => {
    const sketch = inputs.get(part.node) ?? new QuantileSketch();
    inputs.set(part.node, sketch);
    const matrix = arena.float32(part.weights.length);
    matrix.set(part.weights);
    const tiles = tilesOf(part.outputs, part.inputs, tileOutputs, tileInputs).map((place) => {
      const weights = arena.float32(place.outputs * place.inputs);
      for (let o = 0; o < place.outputs; o++) {
        const from = (place.outputFrom + o) * part.inputs + place.inputFrom;
        weights.set(part.weights.subarray(from, from + place.inputs), o * place.inputs);
      }
      const x = arena.float32(part.rows * place.inputs);
      const y = arena.float32(part.rows * place.outputs);
      return { place, weights, x, y, max: 0 };
    });
    outputs.set(part.node, [...(outputs.get(part.node) ?? []), ...tiles]);
    return (x, y, rows) => {
      for (let i = 0; i < rows * part.inputs; i++) sketch.add(Math.abs(x[i]!));
      for (const tile of tiles) {
        const { place } = tile;
        for (let row = 0; row < rows; row++) {
          const from = row * part.inputs + place.inputFrom;
          for (let i = 0; i < place.inputs; i++) tile.x[row * place.inputs + i] = x[from + i]!;
        }
        kernel.gemmNT(tile.x, tile.weights, tile.y, rows, place.outputs, place.inputs, 0);
        for (let i = 0; i < tile.y.length; i++) tile.max = Math.max(tile.max, Math.abs(tile.y[i]!));
      }
      kernel.gemmNT(x, matrix, y, rows, part.outputs, part.inputs, 0);
    };
  };

  const network = plan(folded, { arena, depthwise: { tileInputs, tileOutputs }, productOf });
  const output = new Float32Array(sizeOf(network.outputShape));
  for (const sample of samples) network.infer(sample, output);

  const first = inputScale === undefined ? new Set<string>() : nodesAtInput(folded);
  const ranges = [...inputs].map(([node, sketch]) => {
    const inputMax = first.has(node) ? 127 * inputScale! : (learned[node] ?? sketch.quantile(inputQuantile));
    // Where the samples gave nothing but zeros any range is right.
    const tileOutputMax = outputs.get(node)!.map(({ max }) => outputHeadroom * max || 1);
    return [node, { inputMax: inputMax || 1, tileOutputMax }] as const;
  });
  return { dacBits, adcBits, tileInputs, tileOutputs, ranges: Object.fromEntries(ranges) };
};

/** Names of the nodes that take the graph's input, as it is or reshaped. */
const nodesAtInput = (graph: Graph): ReadonlySet<string> => {
  const values = new Set([graph.input.name]);
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (!node.inputs.some((name) => values.has(name))) continue;
    names.add(node.kind === "gru" ? `${node.name}/input` : node.name);
    if (node.kind === "reshape") values.add(node.output.name);
  }
  return names;
};

/** What matrices, whole and by tile, and the pieces of x and y of each tile take of the arena. */
const pieceBytes = (graph: Graph, tileInputs: number, tileOutputs: number): number => {
  let bytes = 0;
  for (const node of graph.nodes) {
    if (!isWeighted(node)) continue;
    for (const part of partsOf(node, rowsOf(node), { tileInputs, tileOutputs })) {
      const { rows } = part;
      bytes += 8 * part.weights.length + 64;
      for (const tile of tilesOf(part.outputs, part.inputs, tileOutputs, tileInputs)) {
        bytes += 4 * rows * (tile.inputs + tile.outputs) + 4 * 64;
      }
    }
  }
  return bytes;
};

/** Quantiles of positive numbers in one pass: a histogram whose bins are 1/64 octave wide, 2⁻⁶⁴ … 2⁶⁴. */
class QuantileSketch {
  readonly #bins = new Float64Array(128 * 64);
  #count = 0;
  #max = 0;

  add(x: number): void {
    if (!(x > 0)) return;
    const bin = Math.floor((Math.log2(x) + 64) * 64);
    this.#bins[Math.max(0, Math.min(this.#bins.length - 1, bin))]!++;
    this.#count++;
    this.#max = Math.max(this.#max, x);
  }

  /** The upper edge of the bin that holds the quantile, at most the maximum; 0 without numbers. */
  quantile(part: number): number {
    let left = part * this.#count;
    for (let bin = 0; bin < this.#bins.length; bin++) {
      left -= this.#bins[bin]!;
      if (left <= 0) return Math.min(this.#max, 2 ** ((bin + 1) / 64 - 64));
    }
    return this.#max;
  }
}
