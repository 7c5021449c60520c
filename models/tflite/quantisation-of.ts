import { ModelError } from "../network/model-error.ts";
import type { Quantisation } from "../quantisation.ts";
import type { TfliteTensor } from "./schema.ts";

/** How the codes of a value stand for reals; undefined for a value of floats. @throws ModelError for several scales */
export const quantisationOf = (tensor: TfliteTensor): Quantisation | undefined => {
  if (tensor.type !== "int8") return undefined;
  const [scale, ...others] = tensor.scales;
  if (scale === undefined || others.length > 0 || !(scale > 0)) {
    throw new ModelError(`tensor ${tensor.name}: expected one scale > 0, got ${tensor.scales.length}`);
  }
  return { scale, zeroPoint: tensor.zeroPoints[0] ?? 0 };
};
