import type { Graph, Node } from "./graph.ts";
import { ModelError } from "./model-error.ts";

/**
 * A net over `[1, steps, channels]` whose layers look at one step alone or carry a state, as one that takes a step an
 * inference: `[1, 1, channels]`, its recurrent layers going on from the state before. Step by step it gives what the net
 * gives for all steps at once.
 *
 * @throws ModelError where a layer looks at other steps or gives no step for each
 */
export const streamingForm = (graph: Graph): Graph => {
  const [height, steps = 0, channels = 0] = graph.input.shape;
  if (height !== 1 || graph.input.shape.length !== 3) {
    throw new ModelError(`graph ${graph.name}: expected an input [1, steps, channels], got [${graph.input.shape}]`);
  }
  const oneStep = <V extends { readonly shape: readonly number[] }>(value: V, node: string): V => {
    if (value.shape.length === 3 && value.shape[0] === 1 && value.shape[1] === steps) {
      return { ...value, shape: [1, 1, value.shape[2]!] };
    }
    throw new ModelError(`node ${node}: expected a result for each of ${steps} steps, got [${value.shape}]`);
  };
  const nodes = graph.nodes.map((node): Node => {
    const looksAround = "kernel" in node && node.kernel.some((n) => n > 1);
    if (looksAround || !["gru", "conv", "depthwise", "batch-norm", "add", "concat", ...pointwise].includes(node.kind)) {
      throw new ModelError(`node ${node.name}: expected a layer that looks at one step alone, got ${node.kind}`);
    }
    const output = oneStep(node.output, node.name);
    return node.kind === "gru" ? { ...node, output, steps: 1, carriesState: true } : { ...node, output };
  });
  return {
    ...graph,
    input: { ...graph.input, shape: [1, 1, channels] },
    output: oneStep(graph.output, "output"),
    nodes,
  };
};

const pointwise: readonly Node["kind"][] = ["relu", "relu6", "clip", "leaky-relu", "sigmoid", "tanh"];
