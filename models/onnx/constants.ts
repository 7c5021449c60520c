import { ModelError } from "../network/model-error.ts";
import { sizeOf } from "../tensor.ts";
import { doubleType, floatType, int32Type, int64Type } from "./names.ts";
import type { OnnxNode, OnnxTensor } from "./schema.ts";

/** An initialiser or the value of a `Constant` node. */
export interface Constant {
  readonly dims: readonly number[];
  readonly values: Float32Array;
  /** The same without rounding to Float32: shapes. */
  readonly exact: ArrayLike<number>;
}

/** @throws ModelError for a type that is not ours, data outside the file, or a count that does not fit `dims` */
export const constantOf = (tensor: OnnxTensor, name: string): Constant => {
  if (tensor.dataLocation)
    throw new ModelError(`initialiser ${name}: expected its data inside the file, got external data`);
  const dims = tensor.dims ?? [];
  const exact = numbersOf(tensor, name);
  if (exact.length !== sizeOf(dims)) {
    throw new ModelError(`initialiser ${name}: expected ${sizeOf(dims)} numbers for [${dims}], got ${exact.length}`);
  }
  return { dims, exact, values: exact instanceof Float32Array ? exact : Float32Array.from(exact) };
};

/** The value of a `Constant` node. @throws ModelError for a kind of constant that is not ours */
export const constantOfNode = (node: OnnxNode): Constant => {
  const name = node.output?.[0] ?? node.name ?? "";
  for (const { name: kind, t, f, i, floats, ints } of node.attribute ?? []) {
    if (kind === "value" && t) return constantOf(t, name);
    if (kind === "value_float") return { dims: [], values: Float32Array.of(f ?? 0), exact: [f ?? 0] };
    if (kind === "value_int") return { dims: [], values: Float32Array.of(i ?? 0), exact: [i ?? 0] };
    const list = kind === "value_floats" ? (floats ?? []) : kind === "value_ints" ? (ints ?? []) : undefined;
    if (list) return { dims: [list.length], values: Float32Array.from(list), exact: list };
  }
  throw new ModelError(
    `node ${name} (Constant): expected a value of numbers, got ${node.attribute?.[0]?.name ?? "none"}`,
  );
};

const numbersOf = (tensor: OnnxTensor, name: string): ArrayLike<number> => {
  const { rawData, floatData, int32Data, int64Data, doubleData } = tensor;
  const readers: Readonly<Record<number, { bytes: number; read: (view: DataView, at: number) => number }>> = {
    [floatType]: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
    [doubleType]: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
    [int32Type]: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
    [int64Type]: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  };
  const reader = readers[tensor.dataType ?? 0];
  if (reader === undefined) {
    const known = "float (1), int32 (6), int64 (7) or double (11)";
    throw new ModelError(`initialiser ${name}: expected data of type ${known}, got type ${tensor.dataType ?? "none"}`);
  }
  if (rawData?.length) {
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    if (view.byteLength % reader.bytes !== 0) {
      throw new ModelError(
        `initialiser ${name}: expected numbers of ${reader.bytes} bytes, got ${view.byteLength} bytes`,
      );
    }
    const numbers = new (tensor.dataType === floatType ? Float32Array : Float64Array)(view.byteLength / reader.bytes);
    for (let i = 0; i < numbers.length; i++) numbers[i] = reader.read(view, i * reader.bytes);
    return numbers;
  }
  const lists = { [floatType]: floatData, [doubleType]: doubleData, [int32Type]: int32Data, [int64Type]: int64Data };
  const list = lists[tensor.dataType as keyof typeof lists] ?? [];
  return tensor.dataType === floatType ? Float32Array.from(list) : list;
};
