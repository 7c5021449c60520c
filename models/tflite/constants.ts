import { ModelError } from "../network/model-error.ts";
import { sizeOf } from "../tensor.ts";
import type { TfliteTensor } from "./schema.ts";

/** The codes or numbers of a constant as the file has them. @throws ModelError where it has none of these types */
export const rawValues = (tensor: TfliteTensor): Float32Array | Int8Array | Int32Array | Float64Array => {
  const { name, type, bytes = new Uint8Array() } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = sizeOf(tensor.shape);
  const expect = (bytesEach: number): void => {
    if (bytes.length === length * bytesEach) return;
    throw new ModelError(
      `tensor ${name}: expected ${length * bytesEach} bytes for ${length} numbers of type ${type}, got ${bytes.length}`,
    );
  };
  switch (type) {
    case "float32":
      expect(4);
      return Float32Array.from({ length }, (_, i) => view.getFloat32(4 * i, true));
    case "int32":
      expect(4);
      return Int32Array.from({ length }, (_, i) => view.getInt32(4 * i, true));
    case "int64":
      expect(8);
      return Float64Array.from({ length }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    case "int8":
      expect(1);
      return Int8Array.from(bytes, (byte) => (byte << 24) >> 24);
    default:
      throw new ModelError(`tensor ${name}: expected constants of type float32, int8, int32 or int64, got ${type}`);
  }
};

/** A constant as real numbers: `scale · (code − zeroPoint)`, the scale one of its axis' slice, where it is quantised. */
export const realValues = (tensor: TfliteTensor): Float32Array => {
  const raw = rawValues(tensor);
  const { scales, zeroPoints, shape, quantisedAxis, name } = tensor;
  if (scales.length === 0) return raw instanceof Float32Array ? raw : Float32Array.from(raw);
  const slices = shape[quantisedAxis] ?? 1;
  if (scales.length !== 1 && scales.length !== slices) {
    throw new ModelError(`tensor ${name}: expected 1 or ${slices} scales, got ${scales.length}`);
  }
  const inner = sizeOf(shape.slice(quantisedAxis + 1));
  return Float32Array.from(raw, (code, i) => {
    const slice = scales.length === 1 ? 0 : Math.floor(i / inner) % slices;
    return scales[slice]! * (code - (zeroPoints[slice] ?? zeroPoints[0] ?? 0));
  });
};
