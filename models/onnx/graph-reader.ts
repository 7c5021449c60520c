import type { Node, Value } from "../network/graph.ts";
import { ModelError } from "../network/model-error.ts";
import { showShape } from "../network/shapes.ts";
import type { Shape } from "../tensor.ts";
import { type Constant, constantOf } from "./constants.ts";
import { dimsOf, isChannelsLast, orderedTensor, placesOf, type Tensor } from "./layout.ts";
import { plainName } from "./names.ts";
import type { OnnxGraph, OnnxNode } from "./schema.ts";

/** What has been read of a graph so far: its constants, its values and the nodes of ours that they became. */
export class GraphReader {
  readonly opset: number;
  readonly nodes: Node[] = [];
  readonly #tensors = new Map<string, Tensor>();
  readonly #constants = new Map<string, Constant>();
  readonly #uses = new Map<string, number>();

  constructor(graph: OnnxGraph, opset: number) {
    this.opset = opset;
    for (const tensor of graph.initializer ?? []) {
      const name = tensor.name ?? "";
      this.#constants.set(name, constantOf(tensor, name));
    }
    const taken = [...(graph.node ?? []).flatMap((n) => n.input ?? []), ...(graph.output ?? []).map((o) => o.name)];
    for (const name of taken) this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  uses(name: string): number {
    return this.#uses.get(name) ?? 0;
  }
  setTensor(name: string, tensor: Tensor): void {
    this.#tensors.set(name, tensor);
  }
  setConstant(name: string, constant: Constant): void {
    this.#constants.set(name, constant);
  }
  findTensor(name: string): Tensor | undefined {
    return this.#tensors.get(name);
  }
  findConstant(name: string): Constant | undefined {
    return this.#constants.get(name);
  }
}

/** One node of the file with what it takes. Its methods throw ModelErrors that name the node. */
export class NodeReader {
  readonly graph: GraphReader;
  readonly onnx: OnnxNode;
  readonly name: string;

  constructor(graph: GraphReader, onnx: OnnxNode) {
    this.graph = graph;
    this.onnx = onnx;
    this.name = onnx.name || onnx.output?.[0] || onnx.opType;
  }

  fail(expected: string, got: string | number): never {
    throw new ModelError(`node ${this.name} (${this.onnx.opType}): expected ${expected}, got ${got}`);
  }

  int(name: string, otherwise: number): number {
    return this.onnx.attribute?.find((a) => a.name === name)?.i ?? otherwise;
  }
  ints(name: string): readonly number[] | undefined {
    const found = this.onnx.attribute?.find((a) => a.name === name)?.ints;
    return found?.length ? found : undefined;
  }
  floats(name: string): readonly number[] | undefined {
    const found = this.onnx.attribute?.find((a) => a.name === name)?.floats;
    return found?.length ? found : undefined;
  }
  float(name: string, otherwise: number): number {
    return this.onnx.attribute?.find((a) => a.name === name)?.f ?? otherwise;
  }
  text(name: string, otherwise: string): string {
    const found = this.onnx.attribute?.find((a) => a.name === name)?.s;
    return found ? new TextDecoder().decode(found) : otherwise;
  }

  inputName(index: number): string | undefined {
    return this.onnx.input?.[index] || undefined;
  }
  /** The input that must be a value of the graph, with the batch as its first axis. */
  tensor(index: number): Tensor {
    const tensor = this.tensorAnyBatch(index);
    return (tensor.batchAxis ?? 0) === 0
      ? tensor
      : this.fail("the batch as the first axis", `axis ${tensor.batchAxis}`);
  }
  /** The same, wherever the batch is. */
  tensorAnyBatch(index: number): Tensor {
    const name = this.inputName(index) ?? "none";
    const tensor = this.graph.findTensor(name);
    if (tensor) return tensor;
    if (this.graph.findConstant(name))
      return this.fail(`input ${index} to depend on the graph's input`, `constant ${name}`);
    return this.fail(`input ${index} to be given by an earlier node`, name);
  }
  /** The input that must be a constant of these dimensions, −1 for any; undefined where it is optional and left out. */
  optionalConstant(index: number, dims?: readonly number[]): Constant | undefined {
    const name = this.inputName(index);
    if (name === undefined) return undefined;
    const constant = this.graph.findConstant(name);
    if (!constant) {
      return this.fail(
        `an initialiser ${name}`,
        this.graph.findTensor(name) ? "a computed value" : "none of that name",
      );
    }
    const fits =
      !dims || (dims.length === constant.dims.length && dims.every((n, i) => n < 0 || n === constant.dims[i]));
    return fits
      ? constant
      : this.fail(`${name} of shape ${showShape(dims).replaceAll("-1", "any")}`, showShape(constant.dims));
  }
  constant(index: number, dims?: readonly number[]): Constant {
    return this.optionalConstant(index, dims) ?? this.fail(`an initialiser as input ${index}`, "none");
  }

  /** The value that this node gives, of this shape in the graph. */
  value(shape: Shape): Value {
    return { name: plainName(this.onnx.output?.[0] ?? this.fail("an output", "none")), shape };
  }
  give(tensor: Tensor): void {
    this.graph.setTensor(this.onnx.output?.[0] ?? this.fail("an output", "none"), tensor);
  }
  emit(node: Node): void {
    this.graph.nodes.push(node);
  }

  /** An input `[channels, height, width]` or `[channels, width]` of the file, as a value `[height, width, channels]`. */
  image(index: number): { value: Value; shape: readonly [number, number, number]; rank: number } {
    const tensor = this.tensor(index);
    const dims = dimsOf(tensor);
    if (dims.length !== 2 && dims.length !== 3) {
      return this.fail(
        "an input [batch, channels, width] or [batch, channels, height, width]",
        `[batch, ${dims.join(", ")}]`,
      );
    }
    if (!isChannelsLast(tensor))
      return this.fail("channels as the innermost axis of the signal", "an order that mixes axes");
    const shape = dims.length === 2 ? ([1, dims[1]!, dims[0]!] as const) : ([dims[1]!, dims[2]!, dims[0]!] as const);
    return { value: this.reshaped(tensor.value, shape), shape, rank: dims.length };
  }

  /** An input `[features]` of the file as a flat value; `places`: where each of its elements is in the graph's order. */
  vector(index: number): { tensor: Tensor; value: Value; places: Int32Array } {
    const tensor = this.tensor(index);
    const dims = dimsOf(tensor);
    if (dims.length !== 1) return this.fail("an input [batch, features]", `[batch, ${dims.join(", ")}]`);
    const by = tensor.flattenedBy;
    const value = this.reshaped(tensor.value, [dims[0]!], by?.node, by?.output);
    return { tensor: { ...tensor, value }, value, places: placesOf(tensor) };
  }

  /** The value under another shape: a node of its own where the shape differs. */
  reshaped(
    value: Value,
    shape: Shape,
    node = `${this.name}/reshape/${value.name}`,
    output = `${this.name}:${value.name}`,
  ): Value {
    if (shape.length === value.shape.length && shape.every((n, i) => n === value.shape[i])) return value;
    const reshaped = { name: output, shape };
    if (!this.graph.nodes.some((n) => n.name === node)) {
      this.emit({ kind: "reshape", name: node, inputs: [value.name], output: reshaped });
    }
    return reshaped;
  }

  /** The dense or flat result of this node. */
  giveVector(value: Value): void {
    this.give(orderedTensor(value, value.shape));
  }
}
