import type { Shape } from "../tensor.ts";
import { sizeOf } from "../tensor.ts";
import type { Graph, Node } from "./graph.ts";
import { type Window, windowOutput } from "./layers/window.ts";
import { ModelError } from "./model-error.ts";

/** `[98, 40, 1]`, for messages. */
export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/**
 * The shape that a node gives for inputs of these shapes.
 *
 * @throws ModelError when the node's weights or windows do not fit its inputs
 */
export const outputShapeOf = (node: Node, inputs: readonly Shape[]): Shape => {
  const fail = (expected: string, got: string | number): never => {
    throw new ModelError(`node ${node.name} (${node.kind}): expected ${expected}, got ${got}`);
  };
  const wanted = node.kind === "add" ? 2 : node.kind === "concat" ? Math.max(1, inputs.length) : 1;
  if (inputs.length !== wanted) fail(`${wanted} input${wanted > 1 ? "s" : ""}`, inputs.length);
  const input = inputs[0]!;
  const image = (): readonly [number, number, number] => {
    if (input.length !== 3) fail("an input [height, width, channels]", showShape(input));
    return input as unknown as readonly [number, number, number];
  };
  const length = (what: string, wantedLength: number, values: Float32Array): void => {
    if (values.length !== wantedLength) fail(`${wantedLength} ${what}`, values.length);
  };
  const windowed = (window: Window): readonly [number, number] => {
    const [height, width] = image();
    const positive = [...window.kernel, ...window.stride, ...window.dilation];
    if (!positive.every((n) => Number.isInteger(n) && n > 0)) fail("integers > 0 as window", positive.join(", "));
    if (!window.padding.every((n) => Number.isInteger(n) && n >= 0)) fail("padding ≥ 0", window.padding.join(", "));
    const output = windowOutput(height, width, window);
    if (Math.min(...output) < 1) fail(`a window that fits into ${showShape(input)}`, showShape(window.kernel));
    return output;
  };
  switch (node.kind) {
    case "dense": {
      length(`weights for ${sizeOf(input)} inputs`, node.bias.length * sizeOf(input), node.weights);
      return [node.bias.length];
    }
    case "conv": {
      const [, , channels] = image();
      const taps = node.kernel[0] * node.kernel[1] * channels;
      length(`weights for ${channels} channels`, node.bias.length * taps, node.weights);
      return [...windowed(node), node.bias.length];
    }
    case "depthwise": {
      const [, , channels] = image();
      length("biases, one a channel", channels, node.bias);
      length("weights", channels * node.kernel[0] * node.kernel[1], node.weights);
      return [...windowed(node), channels];
    }
    case "max-pool":
    case "average-pool": {
      // A window wholly in the padding has no sample: no maximum, no mean.
      const tooWide = node.padding.some((n, i) => n >= node.kernel[i % 2]!);
      if (tooWide) fail("padding smaller than the kernel", node.padding.join(", "));
      return [...windowed({ ...node, dilation: [1, 1] }), image()[2]];
    }
    case "global-average-pool":
      return [image()[2]];
    case "batch-norm": {
      const channels = input.at(-1) ?? 1;
      for (const values of [node.gamma, node.beta, node.mean, node.variance]) length("channels", channels, values);
      return input;
    }
    case "gru": {
      const [height, steps, features] = image();
      if (height !== 1 || steps !== node.steps) fail(`an input [1, ${node.steps}, features]`, showShape(input));
      length(`weights for ${features} features`, 3 * node.hidden * features, node.weights);
      length("recurrent weights", 3 * node.hidden * node.hidden, node.recurrent);
      length("biases", 3 * node.hidden, node.bias);
      length("recurrent biases", 3 * node.hidden, node.recurrentBias);
      return node.output.shape.length === 3 ? [1, steps, node.hidden] : [node.hidden];
    }
    case "add": {
      if (!sameShape(input, inputs[1]!)) fail(`two inputs of shape ${showShape(input)}`, showShape(inputs[1]!));
      return input;
    }
    case "pad": {
      const [height, width, channels] = image();
      const { padding } = node;
      if (!padding.every((n) => Number.isInteger(n) && n >= 0)) fail("padding ≥ 0", padding.join(", "));
      return [height + padding[0] + padding[2], width + padding[1] + padding[3], channels];
    }
    case "concat": {
      const places = input.slice(0, -1);
      const other = inputs.find((shape) => !sameShape(shape.slice(0, -1), places));
      if (other) fail(`inputs of shape ${showShape([...places, -1]).replace("-1", "channels")}`, showShape(other));
      return [...places, inputs.reduce((sum, shape) => sum + shape.at(-1)!, 0)];
    }
    case "reshape": {
      const { shape } = node.output;
      if (sizeOf(shape) !== sizeOf(input)) fail(`a shape of ${sizeOf(input)} elements`, showShape(shape));
      return shape;
    }
    default:
      return input;
  }
};

/**
 * Check that a graph can be run: names are unique, every value comes before it is used, every shape follows
 * from those before it.
 *
 * @throws ModelError that names the node, what was expected and what was found
 */
export const checkGraph = (graph: Graph): void => {
  const shapes = new Map<string, Shape>([[graph.input.name, graph.input.shape]]);
  if (!graph.input.shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new ModelError(`graph ${graph.name}: expected an input of sizes > 0, got ${showShape(graph.input.shape)}`);
  }
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (names.has(node.name)) throw new ModelError(`node ${node.name}: expected a unique name, got it twice`);
    names.add(node.name);
    const inputs = node.inputs.map((name) => {
      const shape = shapes.get(name);
      if (shape) return shape;
      throw new ModelError(`node ${node.name}: expected an input given by an earlier node, got ${name}`);
    });
    const shape = outputShapeOf(node, inputs);
    if (!sameShape(shape, node.output.shape)) {
      const got = showShape(node.output.shape);
      throw new ModelError(`node ${node.name} (${node.kind}): expected an output ${showShape(shape)}, got ${got}`);
    }
    if (shapes.has(node.output.name)) {
      throw new ModelError(`node ${node.name}: expected a new output name, got ${node.output.name} again`);
    }
    shapes.set(node.output.name, shape);
  }
  const output = shapes.get(graph.output.name);
  if (output === undefined || graph.nodes.length === 0) {
    throw new ModelError(
      `graph ${graph.name}: expected a node that gives the output, got none for ${graph.output.name}`,
    );
  }
  if (!sameShape(output, graph.output.shape)) {
    const got = showShape(graph.output.shape);
    throw new ModelError(`graph ${graph.name}: expected an output ${showShape(output)}, got ${got}`);
  }
};

/** How many nodes take each value; the graph's own output counts as one more. */
export const countUses = (graph: Graph): ReadonlyMap<string, number> => {
  const uses = new Map<string, number>([[graph.output.name, 1]]);
  for (const name of graph.nodes.flatMap((node) => node.inputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
};
