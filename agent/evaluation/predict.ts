import type { Doubt } from "../../models/model.ts";
import type { Network } from "../../models/network/network.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { argmax, sizeOf } from "../../models/tensor.ts";
import { askOf, scoreMargin } from "../../pipelines/operators/ask.ts";
import type { LabelledFeatures } from "../datasets/labelled.ts";

/**
 * The class with the highest score for each sample, as the agent would find it: features to int8 codes, codes to
 * the network, and what its doubt says of the answer.
 *
 * @param scale width of one int8 code
 * @returns class index a sample
 */
export const predict = (network: Network, set: LabelledFeatures, scale: number): Int32Array =>
  predictWithDoubt(network, set, scale, undefined).predicted;

/** As `predict`; 1 for each sample whose answer was in doubt; and how often the network was read in all. */
export const predictWithDoubt = (
  network: Network,
  set: LabelledFeatures,
  scale: number,
  doubt: Doubt | undefined,
): { readonly predicted: Int32Array; readonly doubted: Uint8Array; readonly reads: number } => {
  const size = sizeOf(set.shape);
  const input = new Float32Array(size);
  const output = new Float32Array(sizeOf(network.outputShape));
  const predicted = new Int32Array(set.count);
  const doubted = new Uint8Array(set.count);
  const ask = askOf({ network, ...(doubt && { doubt }) });
  let reads = 0;
  for (let i = 0; i < set.count; i++) {
    const features = set.x.subarray(i * size, (i + 1) * size);
    dequantiseInto(quantiseTensor(features, set.shape, { scale, zeroPoint: 0 }), input);
    const { uncertain, redone } = ask(input, output, scoreMargin);
    predicted[i] = argmax(output);
    doubted[i] = uncertain || redone ? 1 : 0;
    reads += redone === "repeat" ? doubt!.reads : 1;
  }
  return { predicted, doubted, reads };
};
