import type { ConvNode, DenseNode, DepthwiseNode } from "./graph.ts";

export type WeightedNode = DenseNode | ConvNode | DepthwiseNode;

/** One matrix of a weighted layer: what an array of the crossbar holds. */
export interface Part {
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
  /** Rows of x in one product: the positions of a convolution. */
  readonly rows: number;
}

/**
 * The matrices of a layer. Dense and conv are one. Depthwise channels share no input, so that each would use one
 * column of a tile alone; as many as fit into a tile are put on its diagonal, zeros elsewhere:
 *
 *   channels a part = min(tileOutputs, ⌊tileInputs / (kernelH·kernelW)⌋), at least 1
 */
export const partsOf = (
  node: WeightedNode,
  rows: number,
  tile: { readonly tileInputs: number; readonly tileOutputs: number },
): readonly Part[] => {
  const outputs = node.bias.length;
  const inputs = node.weights.length / outputs;
  if (node.kind !== "depthwise") {
    return [
      { node: node.name, name: node.name, index: 0, outputFrom: 0, outputs, inputs, weights: node.weights, rows },
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
      rows,
    });
  }
  return parts;
};
