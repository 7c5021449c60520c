import { ByteBuffer } from "flatbuffers";
import { ModelError } from "../network/model-error.ts";
import { sizeOf } from "../tensor.ts";
import { builtinName } from "./operator-names.ts";

/**
 * The tables of the public TFLite schema that we read, by its field numbers (tensorflow/lite/schema/schema.fbs, version
 * 3, Apache-2.0; https://github.com/tensorflow/tensorflow). Left out: signatures, metadata, sparsity, variables.
 */
const modelFields = { version: 0, operatorCodes: 1, subgraphs: 2, buffers: 4 };
const operatorCodeFields = { deprecatedBuiltin: 0, custom: 1, builtin: 3 };
const subgraphFields = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 };
const tensorFields = { shape: 0, type: 1, buffer: 2, name: 3, quantisation: 4 };
const quantisationFields = { scale: 2, zeroPoint: 3, axis: 6 };
const bufferFields = { data: 0, offset: 1 };
const operatorFields = { code: 0, inputs: 1, outputs: 2, options: 4 };

/** `TensorType` of the schema, those that we name. */
export const tensorTypes = ["float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16"] as const;
export type TensorType = (typeof tensorTypes)[number] | "int8" | "other";

/** A tensor of the file; its values where it is a constant. */
export interface TfliteTensor {
  readonly index: number;
  readonly name: string;
  /** As the file has it, the batch among its axes. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly bytes: Uint8Array | undefined;
  /** real = scale · (code − zeroPoint): one of each, or one a slice of `quantisedAxis`; empty where not quantised. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly quantisedAxis: number;
}

/** The options of an operator: numbers by their place in its table. */
export interface OperatorOptions {
  int32(field: number, otherwise?: number): number;
  byte(field: number, otherwise?: number): number;
  float(field: number, otherwise?: number): number;
  int32s(field: number): readonly number[];
}

export interface TfliteOperator {
  /** Place in the file, from 0. */
  readonly index: number;
  /** As the schema calls it, or the name of a custom one. */
  readonly name: string;
  /** Indices of tensors; −1 for one that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: OperatorOptions;
}

export interface TfliteFile {
  readonly name: string;
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
}

/** Whether bytes call themselves a TFLite file. */
export const isTflite = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";

/**
 * The tables of a TFLite file, its one subgraph.
 *
 * @throws ModelError for bytes that are none, and tables that lie outside the file
 */
export const decodeTflite = (bytes: Uint8Array): TfliteFile => {
  if (!isTflite(bytes))
    throw new ModelError(`model: expected the bytes of a TFLite file, got ${bytes.length} that are none`);
  const model = Table.root(bytes);
  const version = model.int32(modelFields.version);
  if (version !== 3) throw new ModelError(`model: expected TFLite schema version 3, got ${version}`);
  const subgraphs = model.tables(modelFields.subgraphs);
  const [subgraph] = subgraphs;
  if (!subgraph || subgraphs.length > 1) throw new ModelError(`model: expected one subgraph, got ${subgraphs.length}`);
  const buffers = model.tables(modelFields.buffers);
  const names = model.tables(modelFields.operatorCodes).map(operatorName);
  const tensors = subgraph.tables(subgraphFields.tensors).map((table, index) => tensorOf(table, index, buffers));
  const known = (indices: readonly number[], what: string): readonly number[] => {
    const bad = indices.find((i) => i < -1 || i >= tensors.length);
    if (bad === undefined) return indices;
    throw new ModelError(`model: expected ${what} out of ${tensors.length} tensors, got ${bad}`);
  };
  return {
    name: subgraph.text(subgraphFields.name),
    tensors,
    inputs: known(subgraph.int32s(subgraphFields.inputs), "inputs"),
    outputs: known(subgraph.int32s(subgraphFields.outputs), "outputs"),
    operators: subgraph.tables(subgraphFields.operators).map((table, index) => {
      const code = table.int32(operatorFields.code);
      const name = names[code];
      if (name === undefined) throw new ModelError(`operator ${index}: expected a known operator code, got ${code}`);
      return {
        ...{ index, name },
        inputs: known(table.int32s(operatorFields.inputs), `inputs of operator ${index}`),
        outputs: known(table.int32s(operatorFields.outputs), `outputs of operator ${index}`),
        options: table.table(operatorFields.options) ?? noOptions,
      };
    }),
  };
};

const operatorName = (table: Table): string => {
  // Codes above 127 did not fit into the first field; writers fill both.
  const code = Math.max(table.byte(operatorCodeFields.deprecatedBuiltin), table.int32(operatorCodeFields.builtin));
  return builtinName(code) === "CUSTOM" ? table.text(operatorCodeFields.custom) || "CUSTOM" : builtinName(code);
};

const tensorOf = (table: Table, index: number, buffers: readonly Table[]): TfliteTensor => {
  const type = table.byte(tensorFields.type);
  const shape = table.int32s(tensorFields.shape);
  const name = table.text(tensorFields.name) || `tensor-${index}`;
  if (shape.some((n) => n < 0) || !Number.isSafeInteger(sizeOf(shape))) {
    throw new ModelError(`tensor ${name}: expected sizes ≥ 0, got [${shape.join(", ")}]`);
  }
  const buffer = buffers[table.int32(tensorFields.buffer)];
  const bytes = buffer?.bytes(bufferFields.data);
  if (buffer?.has(bufferFields.offset))
    throw new ModelError(`tensor ${name}: expected its data in the table of buffers, got an offset behind it`);
  const quantisation = table.table(tensorFields.quantisation);
  return {
    ...{ index, name, shape, type: type === 9 ? "int8" : (tensorTypes[type] ?? "other") },
    bytes: bytes?.length ? bytes : undefined,
    scales: quantisation?.floats(quantisationFields.scale) ?? [],
    zeroPoints: quantisation?.int64s(quantisationFields.zeroPoint) ?? [],
    quantisedAxis: quantisation?.int32(quantisationFields.axis) ?? 0,
  };
};

const noOptions: OperatorOptions = {
  int32: (_, otherwise = 0) => otherwise,
  byte: (_, otherwise = 0) => otherwise,
  float: (_, otherwise = 0) => otherwise,
  int32s: () => [],
};

/** One table of a flatbuffer, read with bounds: whatever the bytes are, nothing outside of them is. */
class Table implements OperatorOptions {
  readonly #buffer: ByteBuffer;
  readonly #at: number;

  static root(bytes: Uint8Array): Table {
    const buffer = new ByteBuffer(bytes);
    return new Table(buffer, buffer.readInt32(0));
  }

  constructor(buffer: ByteBuffer, at: number) {
    this.#buffer = buffer;
    this.#at = within(buffer, at, 4);
    within(buffer, at - buffer.readInt32(at), 4);
  }

  has(field: number): boolean {
    return this.#field(field, 1) > 0;
  }
  int32(field: number, otherwise = 0): number {
    const at = this.#field(field, 4);
    return at ? this.#buffer.readInt32(at) : otherwise;
  }
  byte(field: number, otherwise = 0): number {
    const at = this.#field(field, 1);
    return at ? this.#buffer.readInt8(at) : otherwise;
  }
  float(field: number, otherwise = 0): number {
    const at = this.#field(field, 4);
    return at ? this.#buffer.readFloat32(at) : otherwise;
  }
  text(field: number): string {
    return new TextDecoder().decode(this.bytes(field) ?? new Uint8Array());
  }
  bytes(field: number): Uint8Array | undefined {
    const { at, count } = this.#vector(field, 1);
    return at ? this.#buffer.bytes().subarray(at, at + count) : undefined;
  }
  int32s(field: number): readonly number[] {
    return this.#list(field, 4, (at) => this.#buffer.readInt32(at));
  }
  floats(field: number): readonly number[] {
    return this.#list(field, 4, (at) => this.#buffer.readFloat32(at));
  }
  int64s(field: number): readonly number[] {
    return this.#list(field, 8, (at) => Number(this.#buffer.readInt64(at)));
  }
  table(field: number): Table | undefined {
    const at = this.#field(field, 4);
    return at ? new Table(this.#buffer, at + this.#buffer.readInt32(at)) : undefined;
  }
  tables(field: number): readonly Table[] {
    return this.#list(field, 4, (at) => new Table(this.#buffer, at + this.#buffer.readInt32(at)));
  }

  /** Where the bytes of a field are; 0 where the table does not have it. */
  #field(field: number, bytes: number): number {
    const vtable = this.#at - this.#buffer.readInt32(this.#at);
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#buffer.readInt16(vtable)) return 0;
    const offset = this.#buffer.readInt16(within(this.#buffer, vtable + entry, 2));
    return offset === 0 ? 0 : within(this.#buffer, this.#at + offset, bytes);
  }

  #vector(field: number, bytesEach: number): { at: number; count: number } {
    const field0 = this.#field(field, 4);
    if (field0 === 0) return { at: 0, count: 0 };
    const start = within(this.#buffer, field0 + this.#buffer.readInt32(field0), 4);
    const count = this.#buffer.readInt32(start);
    return { at: within(this.#buffer, start + 4, count * bytesEach), count };
  }

  #list<T>(field: number, bytesEach: number, read: (at: number) => T): readonly T[] {
    const { at, count } = this.#vector(field, bytesEach);
    return Array.from({ length: count }, (_, i) => read(at + bytesEach * i));
  }
}

/** `at`, where so many bytes from there on are in the buffer. */
const within = (buffer: ByteBuffer, at: number, bytes: number): number => {
  if (at >= 0 && bytes >= 0 && at + bytes <= buffer.capacity()) return at;
  throw new ModelError(`model: expected tables within the ${buffer.capacity()} bytes of the file, got one at ${at}`);
};
