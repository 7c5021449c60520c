import type { Network } from "../../models/network/network.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { LabelledFeatures } from "../datasets/labelled.ts";

/**
 * The class with the highest score for each sample, as the agent would find it: features to int8 codes, codes to
 * the network.
 *
 * @param scale width of one int8 code
 * @returns class index a sample
 */
export const predict = (network: Network, set: LabelledFeatures, scale: number): Int32Array => {
  const size = sizeOf(set.shape);
  const input = new Float32Array(size);
  const output = new Float32Array(sizeOf(network.outputShape));
  const predicted = new Int32Array(set.count);
  for (let i = 0; i < set.count; i++) {
    const features = set.x.subarray(i * size, (i + 1) * size);
    dequantiseInto(quantiseTensor(features, set.shape, { scale, zeroPoint: 0 }), input);
    network.infer(input, output);
    predicted[i] = argmax(output);
  }
  return predicted;
};

/** Index of the largest value; the first of several. */
export const argmax = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
};
