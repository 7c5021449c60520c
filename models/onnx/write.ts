import type { Graph, Node, Value } from "../network/graph.ts";
import { checkGraph } from "../network/shapes.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { channelsFirst, floatType, int64Type, plainName, pooled, reshaped } from "./names.ts";
import { writeGru } from "./recurrent.ts";
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from "./schema.ts";

/**
 * A graph as an ONNX file: opset 17, IR version 8, which onnxruntime runs. Inputs and outputs stay channels last,
 * `[batch, height, width, channels]`, with any batch; inside, images are channels first as ONNX wants them, each
 * such value named `<value>:channels-first`. `readOnnx` gives the same graph back.
 *
 * @throws ModelError when the graph does not fit together
 */
export const writeOnnx = (graph: Graph): Uint8Array => {
  checkGraph(graph);
  const writer = new GraphWriter(graph);
  return encodeModel({
    irVersion: 8,
    producerName: "ohmwatch",
    producerVersion: "1",
    opsetImport: [{ domain: "", version: 17 }],
    graph: writer.write(),
    metadataProps: Object.entries(graph.metadata).map(([key, value]) => ({ key, value })),
  });
};

const isImage = (shape: Shape): boolean => shape.length === 3;

class GraphWriter {
  readonly #graph: Graph;
  readonly #shapes = new Map<string, Shape>();
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const value of [graph.input, ...graph.nodes.map((node) => node.output)]) {
      this.#shapes.set(value.name, value.shape);
    }
  }

  write() {
    const { input, output, nodes, name } = this.#graph;
    if (isImage(input.shape)) {
      this.#add("Transpose", `${input.name}/to-channels-first`, [input.name], this.#nameOf(input.name), {
        perm: [0, 3, 1, 2],
      });
    }
    for (const node of nodes) this.#node(node);
    if (isImage(output.shape)) {
      this.#add("Transpose", `${output.name}/to-channels-last`, [this.#nameOf(output.name)], output.name, {
        perm: [0, 2, 3, 1],
      });
    }
    return {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: [valueInfo(input)],
      output: [valueInfo(output)],
    };
  }

  /** What the file calls a value of the graph. */
  #nameOf(value: string): string {
    return isImage(this.#shapes.get(value)!) ? value + channelsFirst : value;
  }

  #node(node: Node): void {
    const inputs = node.inputs.map((name) => this.#nameOf(name));
    const output = this.#nameOf(node.output.name);
    const input = this.#shapes.get(node.inputs[0]!)!;
    const channels = input.at(-1)!;
    const put = (type: string, taken: readonly string[], attributes: Attributes = {}): void =>
      this.#add(type, node.name, taken, output, attributes);
    switch (node.kind) {
      case "dense": {
        const flat = input.length === 1 ? inputs[0]! : this.#reshaped(node.name, node.inputs[0]!, [sizeOf(input)]);
        const shape = [node.bias.length, sizeOf(input)];
        put("Gemm", [flat, this.#float(node, "weights", shape, node.weights), this.#bias(node)], { transB: 1 });
        break;
      }
      case "conv":
      case "depthwise": {
        const each = node.kind === "conv" ? channels : 1;
        const taps = node.kernel[0] * node.kernel[1];
        const weights = node.kind === "conv" ? tapsLast(node.weights, taps, channels) : node.weights;
        const shape = [node.bias.length, each, ...node.kernel];
        put("Conv", [inputs[0]!, this.#float(node, "weights", shape, weights), this.#bias(node)], {
          kernel_shape: node.kernel,
          strides: node.stride,
          dilations: node.dilation,
          pads: node.padding,
          group: node.kind === "conv" ? 1 : channels,
        });
        break;
      }
      case "max-pool":
      case "average-pool":
        put(node.kind === "max-pool" ? "MaxPool" : "AveragePool", inputs, {
          kernel_shape: node.kernel,
          strides: node.stride,
          pads: node.padding,
        });
        break;
      case "global-average-pool": {
        const mean = node.output.name + pooled;
        this.#add("GlobalAveragePool", node.name, inputs, mean, {});
        this.#add("Flatten", `${node.name}/flatten`, [mean], output, { axis: 1 });
        break;
      }
      case "batch-norm": {
        const shape = [channels];
        const { gamma, beta, mean, variance } = node;
        const parameters = Object.entries({ gamma, beta, mean, variance });
        const names = parameters.map(([name, values]) => this.#float(node, name, shape, values));
        this.#add("BatchNormalization", node.name, [...inputs, ...names], output, {}, { epsilon: node.epsilon });
        break;
      }
      case "gru": {
        const written = writeGru(node, inputs[0]!, output);
        this.#nodes.push(...written.nodes);
        this.#initializers.push(...written.tensors);
        break;
      }
      case "relu6":
        put("Clip", [inputs[0]!, this.#scalar(node, "low", 0), this.#scalar(node, "high", 6)]);
        break;
      case "clip":
        put("Clip", [inputs[0]!, this.#scalar(node, "low", node.low), this.#scalar(node, "high", node.high)]);
        break;
      case "leaky-relu":
        this.#add("LeakyRelu", node.name, inputs, output, {}, { alpha: node.slope });
        break;
      case "pad": {
        const [top, left, bottom, right] = node.padding;
        const pads = `${node.name}.pads`;
        this.#initializers.push(int64Tensor(pads, [0, 0, top, left, 0, 0, bottom, right]));
        put("Pad", [inputs[0]!, pads, this.#scalar(node, "value", node.value)]);
        break;
      }
      case "concat":
        put("Concat", inputs, { axis: 1 });
        break;
      case "softmax":
        put("Softmax", inputs, { axis: 1 });
        break;
      case "reshape":
        this.#reshape(node.name, node.inputs[0]!, node.output.shape, output);
        break;
      default:
        put({ relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh", add: "Add" }[node.kind], inputs);
    }
  }

  /** The value flattened or cut anew in channels-last order, as the input of a node that wants this shape. */
  #reshaped(node: string, value: string, shape: Shape): string {
    const name = `${node}:input`;
    this.#reshape(`${node}/input`, value, shape, name);
    return name;
  }

  #reshape(node: string, value: string, shape: Shape, output: string): void {
    let from = this.#nameOf(value);
    if (isImage(this.#shapes.get(value)!)) {
      this.#add("Transpose", `${node}/to-channels-last`, [from], `${node}:channels-last`, { perm: [0, 2, 3, 1] });
      from = `${node}:channels-last`;
    }
    const to = isImage(shape) ? plainName(output) + reshaped : output;
    this.#initializers.push(int64Tensor(`${node}.shape`, [0, ...shape]));
    this.#add("Reshape", node, [from, `${node}.shape`], to, {});
    if (isImage(shape)) this.#add("Transpose", `${node}/to-channels-first`, [to], output, { perm: [0, 3, 1, 2] });
  }

  #float(node: Node, what: string, dims: readonly number[], values: Float32Array): string {
    const name = `${node.name}.${what}`;
    // A copy, so that the bytes begin where the view does.
    const rawData = new Uint8Array(values.slice().buffer);
    this.#initializers.push({ name, dims: [...dims], dataType: floatType, rawData });
    return name;
  }

  #bias(node: Node & { readonly bias: Float32Array }): string {
    return this.#float(node, "bias", [node.bias.length], node.bias);
  }

  #scalar(node: Node, what: string, value: number): string {
    return this.#float(node, what, [], Float32Array.of(value));
  }

  #add(
    opType: string,
    name: string,
    input: readonly string[],
    output: string,
    integers: Attributes,
    floats: Readonly<Record<string, number>> = {},
  ): void {
    const attribute: OnnxAttribute[] = Object.entries(integers).map(([key, value]) =>
      typeof value === "number" ? { name: key, i: value, type: 2 } : { name: key, ints: [...value], type: 7 },
    );
    for (const [key, f] of Object.entries(floats)) attribute.push({ name: key, f, type: 1 });
    this.#nodes.push({ opType, name, input: [...input], output: [output], attribute });
  }
}

type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** [outputs][taps][channels] → [outputs][channels][taps] */
const tapsLast = (weights: Float32Array, taps: number, channels: number): Float32Array =>
  weights.map((_, i) => {
    const tap = i % taps;
    const channel = Math.floor(i / taps) % channels;
    const output = Math.floor(i / (taps * channels));
    return weights[(output * taps + tap) * channels + channel]!;
  });

const int64Tensor = (name: string, values: readonly number[]): OnnxTensor => ({
  name,
  dims: [values.length],
  dataType: int64Type,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

const valueInfo = ({ name, shape }: Value): OnnxValueInfo => ({
  name,
  type: {
    tensorType: {
      elemType: floatType,
      shape: { dim: [{ dimParam: "batch" }, ...shape.map((dimValue) => ({ dimValue }))] },
    },
  },
});
