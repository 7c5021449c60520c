import type { ConvNode, DenseNode, DepthwiseNode, Graph, Node } from "./graph.ts";
import { countUses } from "./shapes.ts";

type Weighted = DenseNode | ConvNode | DepthwiseNode;

/**
 * The same function with the ranges of channels made alike between layers (cross-layer equalisation: Nagel, van Baalen,
 * Blankevoort and Welling, 2019): where nothing but relus lies between two layers with weights, channel c of the
 * first is divided by s_c and what the second makes of it multiplied,
 *
 *   s_c = √(r₁(c) / r₂(c))      r₁, r₂: largest |weight| out of channel c of the first and into it of the second
 *
 * so that both are √(r₁ r₂). A crossbar maps the largest weight of a tile to its largest conductance: a channel of small
 * weights would use little of that range, and noise would count the more. Repeated until it settles. Batch
 * normalisation must be folded before. Layers with another reader, another activation or sums between stay.
 */
export const equaliseChannels = (graph: Graph, passes = 40): Graph => {
  const nodes = graph.nodes.map((node) => (isWeighted(node) ? copyOf(node) : node));
  const pairs = pairsOf({ ...graph, nodes });
  for (let pass = 0; pass < passes; pass++) for (const pair of pairs) equalise(pair);
  return { ...graph, nodes };
};

interface Pair {
  readonly first: Weighted;
  readonly second: Weighted;
}

const isWeighted = (node: Node): node is Weighted =>
  node.kind === "dense" || node.kind === "conv" || node.kind === "depthwise";

const copyOf = <N extends Weighted>(node: N): N => ({
  ...node,
  weights: node.weights.slice(),
  bias: node.bias.slice(),
});

/** Layers that scale through: k · f(x) = f(k · x) for k > 0, channel by channel. */
const scalesThrough: readonly Node["kind"][] = [
  "relu",
  "leaky-relu",
  "max-pool",
  "average-pool",
  "global-average-pool",
];

const pairsOf = (graph: Graph): readonly Pair[] => {
  const uses = countUses(graph);
  return graph.nodes.flatMap((first) => {
    if (!isWeighted(first)) return [];
    let value = first.output;
    for (;;) {
      const next = graph.nodes.find((node) => node.inputs.includes(value.name));
      if (!next || uses.get(value.name) !== 1) return [];
      if (isWeighted(next)) {
        const fits = next.kind !== "dense" || next.weights.length / next.bias.length === first.bias.length;
        return fits ? [{ first, second: next }] : [];
      }
      const keepsChannels = next.kind === "reshape" && next.output.shape.at(-1) === value.shape.at(-1);
      if (!keepsChannels && !scalesThrough.includes(next.kind)) return [];
      value = next.output;
    }
  });
};

const equalise = ({ first, second }: Pair): void => {
  const channels = first.bias.length;
  const taken = first.weights.length / channels;
  const into =
    (c: number): ((visit: (at: number) => void) => void) =>
    (visit) => {
      if (second.kind === "depthwise") {
        const taps = second.weights.length / channels;
        for (let tap = 0; tap < taps; tap++) visit(c * taps + tap);
      } else for (let at = c; at < second.weights.length; at += channels) visit(at);
    };
  for (let c = 0; c < channels; c++) {
    let out = 0;
    for (let i = 0; i < taken; i++) out = Math.max(out, Math.abs(first.weights[c * taken + i]!));
    let taking = 0;
    into(c)((at) => {
      taking = Math.max(taking, Math.abs(second.weights[at]!));
    });
    const scale = Math.sqrt(out / taking);
    if (!(scale > 0 && Number.isFinite(scale))) continue;
    for (let i = 0; i < taken; i++) first.weights[c * taken + i]! /= scale;
    first.bias[c]! /= scale;
    into(c)((at) => {
      second.weights[at]! *= scale;
    });
  }
};
