import type { QuantisedTensor, Shape } from "./tensor.ts";

/** How real values become int8 codes: `code = clip(rint(x / scale) + zeroPoint, −127 … 127)`. */
export interface Quantisation {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Round half to even, as IEEE 754 and the converters of CrossSim do. Exact for |x| < 2⁵¹. */
export const roundHalfToEven = (x: number): number => {
  const magic = 6755399441055744; // 1.5 · 2⁵²: adding it leaves no bits for a fraction
  return x + magic - magic;
};

/** The symmetric int8 quantisation that takes `±max` to `±127`. @throws RangeError unless `max` is finite and positive. */
export const symmetricQuantisation = (max: number): Quantisation => {
  if (!(max > 0 && Number.isFinite(max))) throw new RangeError(`max: expected a finite number > 0, got ${max}`);
  return { scale: max / 127, zeroPoint: 0 };
};

/** Quantise `values` (any unit) to int8 codes. The result owns its memory. NaN becomes the zero point. */
export const quantiseTensor = (
  values: Float32Array,
  shape: Shape,
  { scale, zeroPoint }: Quantisation,
): QuantisedTensor => {
  const data = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const code = roundHalfToEven(values[i]! / scale) + zeroPoint;
    data[i] = Number.isNaN(code) ? zeroPoint : Math.max(-127, Math.min(127, code));
  }
  return { data, shape, scale, zeroPoint };
};

/** Write `scale · (code − zeroPoint)` for each code into `out`. */
export const dequantiseInto = ({ data, scale, zeroPoint }: QuantisedTensor, out: Float32Array): void => {
  for (let i = 0; i < data.length; i++) out[i] = scale * (data[i]! - zeroPoint);
};
