import type { ActivationNode, ClipNode, Graph, Node, Value } from "../network/graph.ts";
import { ModelError } from "../network/model-error.ts";
import { checkGraph, sameShape, showShape } from "../network/shapes.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { realValues } from "./constants.ts";
import {
  convFields,
  depthMultiplierField,
  depthwiseFields,
  type FusedActivation,
  OperatorReader,
  poolFields,
  poolKernelField,
} from "./operator-reader.ts";
import { decodeTflite, type TfliteFile } from "./schema.ts";

/** The operators that become nodes of a graph, by their names in the schema. */
const operators: Readonly<Record<string, (operator: OperatorReader, graph: GraphMaker) => void>> = {
  ADD: (o, g) => {
    const output = o.shape(o.output);
    const inputs = [0, 1].map((i) => g.take(o, i, output));
    g.emit(o, { kind: "add" }, inputs, output, o.activation(0));
  },
  AVERAGE_POOL_2D: (o, g) => pool(o, g, "average-pool"),
  CONCATENATION: (o, g) => {
    const inputs = o.operator.inputs.map((_, i) => g.take(o, i, o.shape(o.tensor(i))));
    const axis = o.options.int32(0);
    const rank = o.output.shape.length;
    if (axis !== -1 && axis !== rank - 1) o.fail("the axis of the channels", axis);
    g.emit(o, { kind: "concat" }, inputs, o.shape(o.output), o.activation(1));
  },
  CONV_2D: (o, g) => {
    const weights = o.constant(1);
    const [outputs = 0, height = 0, width = 0] = weights.shape;
    const window = o.window([height, width], convFields);
    const node = { kind: "conv", ...window, weights: realValues(weights), bias: biasOf(o, outputs) };
    g.emit(o, node, [g.take(o, 0, o.image(o.value(0)))], o.shape(o.output), o.activation(convFields.activation));
  },
  DEPTHWISE_CONV_2D: depthwise,
  DEQUANTIZE: alias,
  EXPAND_DIMS: reshape,
  FULLY_CONNECTED: fullyConnected,
  LEAKY_RELU: (o, g) => {
    const shape = o.shape(o.output);
    g.emit(o, { kind: "leaky-relu", slope: o.options.float(0) }, [g.take(o, 0, shape)], shape);
  },
  LOGISTIC: (o, g) => activate(o, g, "sigmoid"),
  MAX_POOL_2D: (o, g) => pool(o, g, "max-pool"),
  MEAN: (o, g) => {
    const shape = o.image(o.value(0));
    const rank = o.value(0).shape.length;
    const axes = o.integers(1).map((axis) => (axis < 0 ? axis + rank : axis));
    const wanted = rank === 4 ? [1, 2] : [1];
    if (axes.toSorted().join() !== wanted.join()) o.fail(`the mean over axes ${wanted.join(", ")}`, axes.join(", "));
    g.emit(o, { kind: "global-average-pool" }, [g.take(o, 0, shape)], [shape[2]]);
  },
  PAD: (o, g) => {
    const [, height = 0, width = 0, channels = 0] = o.value(0).shape;
    const amounts = o.integers(1);
    if (o.value(0).shape.length !== 4 || amounts.length !== 8) o.fail("the border of an image", amounts.join(", "));
    const [batch, top, bottom, left, right, inner] = [0, 2, 3, 4, 5, 6].map((i) => amounts[i]!) as Six;
    if (batch || amounts[1] || inner || amounts[7]) o.fail("a border along height and width", amounts.join(", "));
    const padding = [top, left, bottom, right];
    g.emit(o, { kind: "pad", padding, value: 0 }, [g.take(o, 0, [height, width, channels])], o.shape(o.output));
  },
  QUANTIZE: alias,
  RELU: (o, g) => activate(o, g, "relu"),
  RELU6: (o, g) => activate(o, g, "relu6"),
  RESHAPE: reshape,
  SOFTMAX: (o, g) => {
    const beta = o.options.float(0);
    if (beta !== 1) o.fail("beta 1", beta);
    activate(o, g, "softmax");
  },
  SQUEEZE: reshape,
  TANH: (o, g) => activate(o, g, "tanh"),
};

type Six = [number, number, number, number, number, number];

/** What `readTflite` takes: names of the schema. */
export const supportedOperators: readonly string[] = Object.keys(operators);

/**
 * Read a TFLite file as a graph in real numbers, channels last as both have them. Weights that are quantised are given
 * back as `scale · (code − zeroPoint)`; activations stay real, whatever the file quantises them to: `IntegerNetwork`
 * runs a file of int8 in its own arithmetic. One input and one output, a batch of one.
 *
 * @throws ModelError for bytes that are no model, operators that are not ours, and shapes that do not fit, with the
 *   place of the operator in the file
 */
export const readTflite = (bytes: Uint8Array): Graph => graphOf(decodeTflite(bytes));

/** The same from the tables of a file. */
export const graphOf = (file: TfliteFile): Graph => {
  const graph = new GraphMaker(file);
  for (const operator of file.operators) {
    const read = operators[operator.name];
    if (!read) {
      throw new ModelError(
        `operator ${operator.index} (${operator.name}): expected one of ${supportedOperators.join(", ")}, got ${operator.name}`,
      );
    }
    read(new OperatorReader(file, operator), graph);
  }
  return graph.finish();
};

class GraphMaker {
  readonly #file: TfliteFile;
  readonly #nodes: Node[] = [];
  readonly #values = new Map<number, Value>();
  readonly #input: Value;

  constructor(file: TfliteFile) {
    this.#file = file;
    const [index, ...others] = file.inputs;
    const tensor = file.tensors[index ?? -1];
    if (!tensor || others.length > 0) throw new ModelError(`model: expected one input, got ${file.inputs.length}`);
    if (tensor.shape[0] !== 1 || tensor.shape.length < 2 || tensor.shape.length > 4) {
      const got = showShape(tensor.shape);
      throw new ModelError(`input ${tensor.name}: expected a batch of 1 and 1 to 3 axes behind it, got ${got}`);
    }
    const shape = tensor.shape.length === 3 ? [1, ...tensor.shape.slice(1)] : tensor.shape.slice(1);
    this.#input = { name: plain(tensor.name), shape };
    this.#values.set(tensor.index, this.#input);
  }

  /** The name of an operator's input under this shape: a node of its own where it has another. */
  take(operator: OperatorReader, position: number, shape: Shape): string {
    const tensor = operator.value(position);
    const value = this.#values.get(tensor.index);
    if (!value) return operator.fail(`input ${position} to be given by an earlier operator`, tensor.name);
    if (sameShape(value.shape, shape)) return value.name;
    if (sizeOf(value.shape) !== sizeOf(shape))
      return operator.fail(`an input ${showShape(shape)}`, showShape(value.shape));
    const output = { name: `${operator.name}/input-${position}`, shape };
    this.#nodes.push({ kind: "reshape", name: output.name, inputs: [value.name], output });
    return output.name;
  }

  /** A node that gives the operator's output, and one more where it has an activation of its own. */
  emit(
    operator: OperatorReader,
    fields: object,
    inputs: readonly string[],
    shape: Shape,
    then: FusedActivation = "none",
  ): void {
    const { name } = operator;
    const output = { name: then === "none" ? `${name}:output` : `${name}:sum`, shape };
    this.#nodes.push({ ...fields, name, inputs, output } as unknown as Node);
    if (then === "none") this.#values.set(operator.output.index, output);
    else {
      const activated = { name: `${name}:output`, shape };
      const fused = fusedNode(operator, then);
      this.#nodes.push({ ...fused, name: `${name}/${then}`, inputs: [output.name], output: activated } as Node);
      this.#values.set(operator.output.index, activated);
    }
  }

  /** The operator gives what it takes, under this shape. */
  pass(operator: OperatorReader, shape: Shape): void {
    const name = this.take(operator, 0, shape);
    this.#values.set(operator.output.index, { name, shape });
  }

  finish(): Graph {
    const { outputs, name, tensors } = this.#file;
    const value = this.#values.get(outputs[0] ?? -1);
    if (!value || outputs.length !== 1)
      throw new ModelError(`model: expected one output that is computed, got ${outputs.length}`);
    const graph = {
      name: name || plain(tensors[outputs[0]!]!.name),
      input: this.#input,
      output: value,
      nodes: this.#nodes,
      metadata: {},
    };
    checkGraph(graph);
    return graph;
  }
}

const plain = (name: string): string => name.split(";")[0]!;

const fusedNode = (
  operator: OperatorReader,
  kind: FusedActivation,
): Pick<ActivationNode, "kind"> | Pick<ClipNode, "kind" | "low" | "high"> => {
  if (kind === "relu" || kind === "relu6" || kind === "tanh") return { kind };
  if (kind === "relu-n1-to-1") return { kind: "clip", low: -1, high: 1 };
  return operator.fail("a fused relu, relu6 or tanh", kind);
};

const biasOf = (operator: OperatorReader, outputs: number): Float32Array => {
  const bias = operator.optionalConstant(2);
  const values = bias ? realValues(bias) : new Float32Array(outputs);
  return values.length === outputs ? values : operator.fail(`${outputs} biases`, values.length);
};

function activate(operator: OperatorReader, graph: GraphMaker, kind: ActivationNode["kind"]): void {
  const shape = operator.shape(operator.output);
  graph.emit(operator, { kind }, [graph.take(operator, 0, shape)], shape);
}

function reshape(operator: OperatorReader, graph: GraphMaker): void {
  graph.pass(operator, operator.shape(operator.output));
}

/** Between reals and codes: in a graph of reals the same. */
function alias(operator: OperatorReader, graph: GraphMaker): void {
  graph.pass(operator, operator.shape(operator.output));
}

function pool(operator: OperatorReader, graph: GraphMaker, kind: "max-pool" | "average-pool"): void {
  const { options } = operator;
  const kernel = [options.int32(poolKernelField + 1), options.int32(poolKernelField)] as const;
  const { dilation: _, ...window } = operator.window(kernel, poolFields);
  const input = graph.take(operator, 0, operator.image(operator.value(0)));
  graph.emit(
    operator,
    { kind, ...window },
    [input],
    operator.shape(operator.output),
    operator.activation(poolFields.activation),
  );
}

/** Each channel gives `depthMultiplier` outputs: more than one are a convolution with zeros in between. */
function depthwise(operator: OperatorReader, graph: GraphMaker): void {
  const weights = operator.constant(1);
  const [, height = 0, width = 0, outputs = 0] = weights.shape;
  const [, , channels] = operator.image(operator.value(0));
  const multiplier = operator.options.int32(depthMultiplierField, 1);
  if (outputs !== channels * multiplier) operator.fail(`${channels * multiplier} kernels`, outputs);
  const window = operator.window([height, width], depthwiseFields);
  const values = realValues(weights); // [taps × outputs]
  const taps = height * width;
  const kind = multiplier === 1 ? "depthwise" : "conv";
  const each = multiplier === 1 ? 1 : channels;
  const placed = new Float32Array(outputs * taps * each);
  for (let o = 0; o < outputs; o++) {
    const channel = each === 1 ? 0 : Math.floor(o / multiplier);
    for (let tap = 0; tap < taps; tap++) placed[(o * taps + tap) * each + channel] = values[tap * outputs + o]!;
  }
  const node = { kind, ...window, weights: placed, bias: biasOf(operator, outputs) };
  const input = graph.take(operator, 0, operator.image(operator.value(0)));
  graph.emit(operator, node, [input], operator.shape(operator.output), operator.activation(depthwiseFields.activation));
}

/** Over all of the input, or with its axes kept at each place: then a convolution of 1 × 1. */
function fullyConnected(operator: OperatorReader, graph: GraphMaker): void {
  const weights = operator.constant(1);
  const [outputs = 0, inputs = 0] = weights.shape;
  const size = sizeOf(operator.value(0).shape);
  const shape = operator.shape(operator.output);
  const common = { weights: realValues(weights), bias: biasOf(operator, outputs) };
  const then = operator.activation(0);
  if (size === inputs) {
    const input = graph.take(operator, 0, [inputs]);
    graph.emit(operator, { kind: "dense", ...common }, [input], [outputs], then);
    return;
  }
  const image = operator.image(operator.value(0));
  if (image[2] !== inputs) operator.fail(`weights for ${size} or ${image[2]} inputs`, inputs);
  const once = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] };
  graph.emit(operator, { kind: "conv", ...once, ...common }, [graph.take(operator, 0, image)], shape, then);
}
