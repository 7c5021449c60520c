import { sizeOf } from "../tensor.ts";
import type { ConvNode, DenseNode, DepthwiseNode, GruNode, Node } from "./graph.ts";

/** A node whose products the crossbar does. */
export type WeightedNode = DenseNode | ConvNode | DepthwiseNode | GruNode;

export const isWeighted = (node: Node): node is WeightedNode =>
  node.kind === "dense" || node.kind === "conv" || node.kind === "depthwise" || node.kind === "gru";

/** Rows of x in one product of a layer: its positions, or the time steps of a recurrent one. */
export const rowsOf = (node: WeightedNode): number =>
  node.kind === "gru" ? node.steps : sizeOf(node.output.shape) / node.bias.length;

/** `y[rows × outputs] = x[rows × inputs] · Wᵀ`, without bias; x and y lie in one arena. `run`: which of the part's. */
export type Product = (x: Float32Array, y: Float32Array, rows: number, run?: number) => void;

/** One matrix of a weighted layer: what an array of the crossbar holds. */
export interface Part {
  /** Names its ranges in the mapping: the node's name; of a recurrent layer `<node>/input` and `<node>/recurrent`. */
  readonly node: string;
  /** Unique in the network: the node's name, with the channels where the node has several parts. */
  readonly name: string;
  /** Place among the parts of its node. */
  readonly index: number;
  /** First of the node's output channels that it gives. */
  readonly outputFrom: number;
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs × inputs]; the inputs of a convolution run over `[kernelH][kernelW][channels of the part]` */
  readonly weights: Float32Array;
  /** Of a depthwise part [outputs × kernelH·kernelW], where it fits into a tile: what `weights` has on its diagonal. */
  readonly columns?: Float32Array;
  /** Rows of x in one product: the positions of a convolution. */
  readonly rows: number;
  /** Products of an inference: 1, or the time steps where each needs the one before. */
  readonly runs: number;
}

/**
 * The matrices of a layer. Dense and conv are one, a recurrent layer has one for its input and one for its state.
 * Depthwise channels share no input, so that each would use one column of a tile alone; as many as fit into a tile are put on its diagonal, where alone devices are formed:
 *
 *   channels a part = min(tileOutputs, ⌊tileInputs / (kernelH·kernelW)⌋), at least 1
 */
export const partsOf = (
  node: WeightedNode,
  rows: number,
  tile: { readonly tileInputs: number; readonly tileOutputs: number },
): readonly Part[] => {
  if (node.kind === "gru") return gruParts(node);
  const outputs = node.bias.length;
  const inputs = node.weights.length / outputs;
  if (node.kind !== "depthwise") {
    return [
      {
        node: node.name,
        name: node.name,
        index: 0,
        outputFrom: 0,
        outputs,
        inputs,
        weights: node.weights,
        rows,
        runs: 1,
      },
    ];
  }
  const most = Math.max(1, Math.min(tile.tileOutputs, Math.floor(tile.tileInputs / inputs), outputs));
  const parts: Part[] = [];
  for (let from = 0; from < outputs; from += most) {
    const channels = Math.min(most, outputs - from);
    const weights = new Float32Array(channels * channels * inputs);
    for (let c = 0; c < channels; c++) {
      for (let tap = 0; tap < inputs; tap++) {
        weights[c * channels * inputs + tap * channels + c] = node.weights[(from + c) * inputs + tap]!;
      }
    }
    parts.push({
      node: node.name,
      name: most < outputs ? `${node.name}/channels-${from}-${from + channels - 1}` : node.name,
      index: parts.length,
      outputFrom: from,
      outputs: channels,
      inputs: channels * inputs,
      weights,
      ...{ rows, runs: 1 },
      ...(inputs <= tile.tileInputs
        ? { columns: node.weights.subarray(from * inputs, (from + channels) * inputs) }
        : {}),
    });
  }
  return parts;
};

const gruParts = ({ name, hidden, steps, weights, recurrent }: GruNode): readonly Part[] => {
  const part = (what: string, values: Float32Array, index: number, rows: number, runs: number): Part => ({
    ...{ node: `${name}/${what}`, name: `${name}/${what}`, index, outputFrom: 0, outputs: 3 * hidden },
    ...{ inputs: values.length / (3 * hidden), weights: values, rows, runs },
  });
  return [part("input", weights, 0, steps, 1), part("recurrent", recurrent, 1, 1, steps)];
};
