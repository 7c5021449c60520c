import type { DenseNode, Graph, Node } from "../network/graph.ts";
import { sizeOf } from "../tensor.ts";

/**
 * Nets of one kind, trained from different seeds, as one net that gives the mean of their logits: a committee errs less
 * than its members where they were trained on few patients, and it costs no other layer. With W₁ … W_K the weights of
 * a layer in each of the K nets:
 *
 *   first dense layer   [W₁; W₂; …]                 one above the other: all take the same input
 *   those between       diag(W₁, W₂, …)             each its own part; the rest is 0
 *   last                [W₁ W₂ …] / K               side by side
 *
 * Of a chip it takes larger matrices in the same number of layers.
 *
 * @param graphs chains of layers without weights, then dense layers with elementwise activations between, then softmax
 * @throws RangeError where a net has other layers with weights, or fewer than two dense ones
 */
export const committeeOf = (graphs: readonly Graph[]): Graph => {
  const [first] = graphs;
  if (first === undefined) throw new RangeError("committee: expected at least one net, got none");
  if (graphs.length === 1) return first;
  const dense = first.nodes.flatMap((node, i) => (node.kind === "dense" ? [i] : []));
  if (dense.length < 2) throw new RangeError(`committee: expected two or more dense layers, got ${dense.length}`);
  const [begin, end] = [dense[0]!, dense.at(-1)!];
  const nodes = first.nodes.map((node, i): Node => {
    if (node.kind !== "dense") {
      if ("weights" in node)
        throw new RangeError(`committee: expected dense layers alone, got ${node.kind} ${node.name}`);
      return i > begin && i < end ? { ...node, output: widened(node, graphs.length) } : node;
    }
    const members = graphs.map((graph) => graph.nodes[i] as DenseNode);
    if (i === begin) return { ...stacked(members), output: widened(node, graphs.length) };
    return i === end ? sideBySide(members) : { ...onDiagonal(members), output: widened(node, graphs.length) };
  });
  return { ...first, nodes };
};

const widened = ({ output: { name, shape } }: Node, times: number) => ({
  name,
  shape: shape.map((n, axis) => (axis === shape.length - 1 ? n * times : n)),
});

const stacked = (members: readonly DenseNode[]): DenseNode => ({
  ...members[0]!,
  weights: Float32Array.from(members.flatMap(({ weights }) => [...weights])),
  bias: Float32Array.from(members.flatMap(({ bias }) => [...bias])),
});

const onDiagonal = (members: readonly DenseNode[]): DenseNode => {
  const outputs = sizeOf(members[0]!.output.shape);
  const inputs = members[0]!.weights.length / outputs;
  const width = inputs * members.length;
  const all = stacked(members);
  const weights = new Float32Array(all.weights.length * members.length);
  for (let row = 0; row < outputs * members.length; row++) {
    const from = Math.floor(row / outputs) * inputs;
    weights.set(all.weights.subarray(row * inputs, (row + 1) * inputs), row * width + from);
  }
  return { ...all, weights };
};

const sideBySide = (members: readonly DenseNode[]): DenseNode => {
  const outputs = sizeOf(members[0]!.output.shape);
  const inputs = members[0]!.weights.length / outputs;
  const part = 1 / members.length;
  const weights = new Float32Array(outputs * inputs * members.length);
  const bias = new Float32Array(outputs);
  for (const [k, member] of members.entries()) {
    for (let row = 0; row < outputs; row++) {
      bias[row] = bias[row]! + part * member.bias[row]!;
      for (let i = 0; i < inputs; i++) {
        weights[(row * members.length + k) * inputs + i] = part * member.weights[row * inputs + i]!;
      }
    }
  }
  return { ...members[0]!, weights, bias };
};
