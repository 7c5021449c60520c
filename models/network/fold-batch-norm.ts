import type { BatchNormNode, ConvNode, DenseNode, DepthwiseNode, Graph, Node } from "./graph.ts";
import { countUses } from "./shapes.ts";

/** What batch normalisation is after training: `y = scale · x + shift`. */
export const affineOf = (node: BatchNormNode): { scale: Float32Array; shift: Float32Array } => {
  const scale = node.gamma.map((gamma, c) => gamma / Math.sqrt(node.variance[c]! + node.epsilon));
  const shift = node.beta.map((beta, c) => beta - node.mean[c]! * scale[c]!);
  return { scale, shift };
};

/**
 * The same function with batch normalisation folded into the weights before it: `W' = scale · W`,
 * `b' = scale · b + shift`. The layer keeps its name and takes over the output. A normalisation that follows no
 * weights, or shares them with another reader, stays.
 */
export const foldBatchNorm = (graph: Graph): Graph => {
  const uses = countUses(graph);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const at = nodes.findIndex((n) => n.output.name === node.inputs[0]);
    const before = nodes[at];
    if (node.kind === "batch-norm" && before && isWeighted(before) && uses.get(before.output.name) === 1) {
      nodes[at] = { ...folded(before, node), output: node.output };
    } else nodes.push(node);
  }
  return { ...graph, nodes };
};

type Weighted = DenseNode | ConvNode | DepthwiseNode;

const isWeighted = (node: Node): node is Weighted =>
  node.kind === "dense" || node.kind === "conv" || node.kind === "depthwise";

const folded = (node: Weighted, norm: BatchNormNode): Weighted => {
  const { scale, shift } = affineOf(norm);
  const inputs = node.weights.length / node.bias.length;
  return {
    ...node,
    weights: node.weights.map((w, i) => w * scale[Math.floor(i / inputs)]!),
    bias: node.bias.map((b, o) => b * scale[o]! + shift[o]!),
  };
};
