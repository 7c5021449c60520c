import { map, type OperatorFunction } from "rxjs";
import { quantiseTensor } from "../../models/quantisation.ts";
import type { Features, QuantisedFeatures } from "../signal.ts";

/**
 * Turn features into the int8 codes that the DACs of the first layer take: `code = clip(rint(x / scale), ±127)`.
 *
 *   features    --0.52-----|
 *               quantise({ scale: 0.1 })
 *   quantised   --5 · 0.1--|
 *
 * @throws RangeError at once unless `scale` is finite and positive
 */
export const quantise = ({ scale }: { readonly scale: number }): OperatorFunction<Features, QuantisedFeatures> => {
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`scale: expected a finite number > 0, got ${scale}`);
  return map(({ data, shape, ...when }) => ({ ...when, tensor: quantiseTensor(data, shape, { scale, zeroPoint: 0 }) }));
};
