import { Arena } from "../crossbar/kernels/arena.ts";
import type { FloatKernel } from "../crossbar/kernels/float-kernel.ts";
import { floatReference } from "../crossbar/kernels/float-reference.ts";
import { floatSimd } from "../crossbar/kernels/float-simd.ts";
import type { Shape } from "../tensor.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import type { Graph } from "./graph.ts";
import type { Network } from "./network.ts";
import { isWeighted } from "./parts.ts";
import { type Plan, plan, planBytes } from "./plan.ts";

export interface DigitalOptions {
  readonly kernel: FloatKernel["name"];
}

/** The packing buffers of the SIMD kernel, with room to spare; what is not touched costs nothing. */
export const kernelScratchBytes = 2 ** 20;

/** A graph run in Float32, batch normalisation folded: the digital twin of every analog network. */
export class DigitalNetwork implements Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly #plan: Plan;
  readonly #matrices = new Map<string, Float32Array>();

  /** @throws ModelError when the graph does not fit together */
  constructor(graph: Graph, { kernel: name }: DigitalOptions = { kernel: "simd" }) {
    const folded = foldBatchNorm(graph);
    const weights = folded.nodes.filter(isWeighted).reduce((sum, node) => {
      const recurrent = node.kind === "gru" ? node.recurrent.length : 0;
      return sum + 4 * (node.weights.length + recurrent) + 128;
    }, 0);
    const arena = new Arena(planBytes(folded) + weights + kernelScratchBytes);
    const kernel = name === "simd" ? floatSimd(arena) : floatReference;
    this.#plan = plan(folded, {
      arena,
      depthwise: "direct",
      productOf: ({ name: part, weights, outputs, inputs }) => {
        const matrix = arena.float32(weights.length);
        matrix.set(weights);
        this.#matrices.set(part, matrix);
        return (x, y, rows) => kernel.gemmNT(x, matrix, y, rows, outputs, inputs, 0);
      },
    });
    this.inputShape = this.#plan.inputShape;
    this.outputShape = this.#plan.outputShape;
  }

  /** Run one sample. Allocates nothing. @throws RangeError when a length does not fit */
  infer(input: Float32Array, output: Float32Array): void {
    this.#plan.infer(input, output);
  }

  /** Let a dense layer, by node name, have other weights [outputs × inputs]. @throws RangeError where they do not fit */
  setWeights(node: string, weights: Float32Array): void {
    const matrix = this.#matrices.get(node);
    if (matrix?.length !== weights.length) {
      throw new RangeError(
        `weights of ${node}: expected ${matrix?.length ?? "a layer of that name"}, got ${weights.length}`,
      );
    }
    matrix.set(weights);
  }

  /** What is carried from one inference to the next: see `Network`. */
  get states(): readonly Float32Array[] {
    return this.#plan.states;
  }
}
