import { Builder } from "flatbuffers";
import { SequentialRandom } from "../../../models/random.ts";

/** A tensor on its way into a file. */
export interface BuiltTensor {
  readonly shape: readonly number[];
  readonly type: "float32" | "int8" | "int32";
  readonly data?: Float32Array | Int8Array | Int32Array;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
}

/** An operator by its numbers in the schema; options as `[field, kind, value]`. */
export interface BuiltOperator {
  readonly code: number;
  readonly optionsType?: number;
  readonly options?: readonly (readonly [field: number, kind: "byte" | "int" | "float", value: number])[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const typeCodes = { float32: 0, int32: 2, int8: 9 };

/** A TFLite file (schema version 3) of one subgraph, tables written as the public schema numbers them. */
export const buildTflite = (
  tensors: readonly BuiltTensor[],
  operators: readonly BuiltOperator[],
  inputs: readonly number[],
  outputs: readonly number[],
): Uint8Array => {
  const b = new Builder(1024);
  const vectorOf = (bytesEach: number, values: readonly number[], add: (value: number) => void): number => {
    b.startVector(bytesEach, values.length, bytesEach);
    for (const value of values.toReversed()) add(value);
    return b.endVector();
  };
  const ints = (values: readonly number[]) => vectorOf(4, values, (v) => b.addInt32(v));
  const offsets = (values: readonly number[]) => vectorOf(4, values, (v) => b.addOffset(v));
  const table = (fields: number, fill: () => void): number => {
    b.startObject(fields);
    fill();
    return b.endObject();
  };
  const bufferOf = (data: BuiltTensor["data"]): number => {
    const bytes = data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array();
    b.startVector(1, bytes.length, 16);
    for (const byte of bytes.toReversed()) b.addInt8(byte);
    const vector = b.endVector();
    return table(1, () => bytes.length && b.addFieldOffset(0, vector, 0));
  };
  const buffers = [bufferOf(undefined), ...tensors.map(({ data }) => bufferOf(data))];
  const tensorOffsets = tensors.map(({ shape, type, scales, zeroPoints, axis = 0, data }, i) => {
    const name = b.createString(`t${i}`);
    const dims = ints(shape);
    let quantisation = 0;
    if (scales) {
      const scale = vectorOf(4, scales, (v) => b.addFloat32(v));
      const zeros = vectorOf(8, zeroPoints ?? scales.map(() => 0), (v) => b.addInt64(BigInt(v)));
      quantisation = table(7, () => {
        b.addFieldOffset(2, scale, 0);
        b.addFieldOffset(3, zeros, 0);
        b.addFieldInt32(6, axis, 0);
      });
    }
    return table(8, () => {
      b.addFieldOffset(0, dims, 0);
      b.addFieldInt8(1, typeCodes[type], 0);
      b.addFieldInt32(2, data ? i + 1 : 0, 0);
      b.addFieldOffset(3, name, 0);
      if (quantisation) b.addFieldOffset(4, quantisation, 0);
    });
  });
  const codes = [...new Set(operators.map(({ code }) => code))];
  const codeOffsets = codes.map((code) =>
    table(4, () => {
      b.addFieldInt8(0, Math.min(code, 127), 0);
      b.addFieldInt32(2, 1, 0);
      b.addFieldInt32(3, code, 0);
    }),
  );
  const operatorOffsets = operators.map(({ code, optionsType = 0, options = [], inputs: taken, outputs: given }) => {
    const [inputVector, outputVector] = [ints(taken), ints(given)];
    const optionTable = table(8, () => {
      for (const [field, kind, value] of options) {
        if (kind === "byte") b.addFieldInt8(field, value, 0);
        else if (kind === "int") b.addFieldInt32(field, value, 0);
        else b.addFieldFloat32(field, value, 0);
      }
    });
    return table(9, () => {
      b.addFieldInt32(0, codes.indexOf(code), 0);
      b.addFieldOffset(1, inputVector, 0);
      b.addFieldOffset(2, outputVector, 0);
      b.addFieldInt8(3, optionsType, 0);
      if (optionsType) b.addFieldOffset(4, optionTable, 0);
    });
  });
  const parts = [offsets(tensorOffsets), ints(inputs), ints(outputs), offsets(operatorOffsets)];
  const subgraph = table(5, () => {
    parts.forEach((part, field) => {
      b.addFieldOffset(field, part, 0);
    });
  });
  const [codeVector, subgraphs, bufferVector] = [offsets(codeOffsets), offsets([subgraph]), offsets(buffers)];
  const model = table(5, () => {
    b.addFieldInt32(0, 3, 0);
    b.addFieldOffset(1, codeVector, 0);
    b.addFieldOffset(2, subgraphs, 0);
    b.addFieldOffset(4, bufferVector, 0);
  });
  b.finish(model, "TFL3");
  return b.asUint8Array().slice();
};

/** Numbers of `BuiltinOperator` and `BuiltinOptions` in the schema. */
const conv = { code: 3, optionsType: 1 };
const depthwise = { code: 4, optionsType: 2 };

/** Seeded small files with the operators that the MLPerf models have not. */
export const smallFiles = (): Readonly<Record<string, { bytes: Uint8Array; inputs: (Float32Array | Int8Array)[] }>> => {
  const random = new SequentialRandom(77);
  const reals = (length: number, sigma = 0.5): Float32Array =>
    Float32Array.from({ length }, () => sigma * random.gaussian());
  const codes = (length: number): Int8Array => Int8Array.from({ length }, () => random.integer(255) - 127);
  const floats = (...shape: number[]): BuiltTensor => ({ shape, type: "float32" });
  const weights = (...shape: number[]): BuiltTensor => ({
    ...{ shape, type: "float32" },
    data: reals(shape.reduce((a, b) => a * b, 1)),
  });
  const indices = (...values: number[]): BuiltTensor => ({
    ...{ shape: [values.length], type: "int32" },
    data: Int32Array.from(values),
  });
  const borders: BuiltTensor = { shape: [4, 2], type: "int32", data: Int32Array.from([0, 0, 1, 2, 0, 1, 0, 0]) };
  const window = (stride: number, activation: number, dilation = 1) =>
    [
      [0, "byte", 0],
      [1, "int", stride],
      [2, "int", stride],
      [3, "byte", activation],
      [4, "int", dilation],
      [5, "int", dilation],
    ] as const;
  const of = (inputs: number, length: number, spread = 1) =>
    Array.from({ length: inputs }, () => reals(length, spread));

  const image = buildTflite(
    [
      floats(1, 9, 7, 2),
      borders,
      floats(1, 12, 8, 2),
      weights(4, 3, 3, 2),
      weights(4),
      floats(1, 12, 8, 4),
      weights(1, 3, 2, 8),
      weights(8),
      floats(1, 6, 4, 8),
      floats(1, 3, 2, 8),
      floats(1, 3, 2, 8),
      floats(1, 3, 2, 16),
      indices(1, 2),
      floats(1, 16),
    ],
    [
      { code: 34, optionsType: 22, inputs: [0, 1], outputs: [2] }, // PAD
      { ...conv, options: window(1, 3, 2), inputs: [2, 3, 4], outputs: [5] }, // dilated, relu6
      {
        ...depthwise,
        options: [
          [0, "byte", 0],
          [1, "int", 2],
          [2, "int", 2],
          [3, "int", 2],
          [4, "byte", 0],
          [5, "int", 1],
          [6, "int", 1],
        ],
        inputs: [5, 6, 7],
        outputs: [8],
      }, // two outputs a channel
      {
        ...{ code: 17, optionsType: 5, inputs: [8], outputs: [9] }, // MAX_POOL_2D
        options: [
          [0, "byte", 0],
          [1, "int", 2],
          [2, "int", 2],
          [3, "int", 3],
          [4, "int", 2],
          [5, "byte", 0],
        ],
      },
      { code: 98, optionsType: 75, options: [[0, "float", 0.2]], inputs: [9], outputs: [10] }, // LEAKY_RELU
      { code: 2, optionsType: 10, options: [[0, "int", 3]], inputs: [9, 10], outputs: [11] }, // CONCATENATION
      { code: 40, optionsType: 27, inputs: [11, 12], outputs: [13] }, // MEAN
    ],
    [0],
    [13],
  );
  const plain = buildTflite(
    [
      floats(1, 6),
      weights(5, 6),
      floats(1, 5),
      floats(1, 5),
      weights(4, 5),
      weights(4),
      floats(1, 4),
      floats(1, 4),
      floats(1, 4),
    ],
    [
      { code: 9, optionsType: 8, inputs: [0, 1, -1], outputs: [2] }, // FULLY_CONNECTED without bias
      { code: 28, inputs: [2], outputs: [3] }, // TANH
      { code: 9, optionsType: 8, inputs: [3, 4, 5], outputs: [6] },
      { code: 14, inputs: [6], outputs: [7] }, // LOGISTIC
      { code: 0, optionsType: 11, options: [[0, "byte", 1]], inputs: [6, 7], outputs: [8] }, // ADD, relu
    ],
    [0],
    [8],
  );
  const quantised = (scale: number, zeroPoint: number, ...shape: number[]): BuiltTensor => ({
    ...{ shape, type: "int8", scales: [scale], zeroPoints: [zeroPoint] },
  });
  const integers = buildTflite(
    [
      floats(1, 8, 6, 3),
      quantised(0.03, 5, 1, 8, 6, 3),
      {
        ...quantised(0.01, 0, 4, 3, 3, 3),
        data: codes(108),
        scales: [0.004, 0.01, 0.007, 0.002],
        zeroPoints: [0, 0, 0, 0],
      },
      { shape: [4], type: "int32", data: Int32Array.from([900, -400, 10, 2000]), scales: [1.2e-4, 3e-4, 2.1e-4, 6e-5] },
      quantised(0.06, -20, 1, 4, 3, 4),
      quantised(0.06, -20, 1, 2, 2, 4),
      indices(1, 2),
      quantised(0.05, -10, 1, 4),
      quantised(1 / 256, -128, 1, 4),
      quantised(1 / 128, 0, 1, 4),
      quantised(0.02, -30, 1, 4),
      floats(1, 4),
    ],
    [
      { code: 114, inputs: [0], outputs: [1] }, // QUANTIZE
      { ...conv, options: window(2, 0), inputs: [1, 2, 3], outputs: [4] },
      {
        ...{ code: 17, optionsType: 5, inputs: [4], outputs: [5] }, // MAX_POOL_2D
        options: [
          [0, "byte", 0],
          [1, "int", 2],
          [2, "int", 2],
          [3, "int", 2],
          [4, "int", 2],
          [5, "byte", 0],
        ],
      },
      { code: 40, optionsType: 27, inputs: [5, 6], outputs: [7] }, // MEAN
      { code: 14, inputs: [7], outputs: [8] }, // LOGISTIC
      { code: 28, inputs: [7], outputs: [9] }, // TANH
      { code: 0, optionsType: 11, inputs: [8, 9], outputs: [10] }, // ADD of two scales
      { code: 6, inputs: [10], outputs: [11] }, // DEQUANTIZE
    ],
    [0],
    [11],
  );
  return {
    "pad, dilation, depth multiplier, max pool, leaky relu, concatenation, mean": { bytes: image, inputs: of(4, 126) },
    "fully connected, tanh, logistic, add": { bytes: plain, inputs: of(4, 6) },
    "int8 between floats": { bytes: integers, inputs: of(12, 144, 1.5) },
  };
};
