import { Arena } from "../crossbar/kernels/arena.ts";
import { floatSimd } from "../crossbar/kernels/float-simd.ts";
import type { Mapping } from "../manifest.ts";
import { kernelScratchBytes } from "../network/digital.ts";
import { foldBatchNorm } from "../network/fold-batch-norm.ts";
import type { Graph } from "../network/graph.ts";
import { plan, planBytes } from "../network/plan.ts";
import { sizeOf } from "../tensor.ts";

/** How far the inputs of one array are driven: means over inputs and products, as parts of the DACs' full scale. */
export interface Activity {
  /** Mean of |x|, clipped at full scale. */
  readonly magnitude: number;
  /** Mean of x². */
  readonly square: number;
}

/** What is assumed of an array whose inputs nobody has seen: |x| spread evenly over 0 … full scale. */
export const evenActivity: Activity = { magnitude: 1 / 2, square: 1 / 3 };

/**
 * The activity of each array's inputs, by its name, from a digital run of samples.
 *
 * @param samples each of the input's size; without any the result is empty
 * @throws ModelError when the graph does not fit together
 */
export const measureActivity = (
  graph: Graph,
  mapping: Mapping,
  samples: readonly Float32Array[],
): ReadonlyMap<string, Activity> => {
  if (samples.length === 0) return new Map();
  const folded = foldBatchNorm(graph);
  const sums = new Map<string, { count: number; magnitude: number; square: number }>();
  const arena = new Arena(2 * planBytes(folded) + matrixBytes(folded, mapping) + kernelScratchBytes);
  const kernel = floatSimd(arena);
  const network = plan(folded, {
    arena,
    depthwise: mapping,
    productOf: (part) => {
      const matrix = arena.float32(part.weights.length);
      matrix.set(part.weights);
      const sum = { count: 0, magnitude: 0, square: 0 };
      sums.set(part.name, sum);
      const inputMax = mapping.ranges[part.node]?.inputMax ?? 1;
      return (x, y, rows) => {
        for (let i = 0; i < rows * part.inputs; i++) {
          const driven = Math.min(1, Math.abs(x[i]!) / inputMax);
          sum.magnitude += driven;
          sum.square += driven * driven;
        }
        sum.count += rows * part.inputs;
        kernel.gemmNT(x, matrix, y, rows, part.outputs, part.inputs, 0);
      };
    },
  });
  const output = new Float32Array(sizeOf(network.outputShape));
  for (const sample of samples) network.infer(sample, output);
  return new Map(
    [...sums].map(([name, { count, magnitude, square }]) => [
      name,
      { magnitude: magnitude / count, square: square / count },
    ]),
  );
};

/** Room for every matrix; a depthwise layer on the diagonal takes at most a tile for each channel. */
const matrixBytes = (graph: Graph, { tileInputs }: Mapping): number =>
  graph.nodes.reduce((bytes, node) => {
    if (!("weights" in node)) return bytes;
    const recurrent = node.kind === "gru" ? node.recurrent.length : 0;
    return bytes + 4 * recurrent + 4 * node.weights.length * (node.kind === "depthwise" ? tileInputs : 1) + 65536;
  }, 0);
