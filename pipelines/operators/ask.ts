import type { Doubt, Model } from "../../models/model.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { Assurance } from "../signal.ts";

/** Runs the network of a model; what it says of its answer is new each time. */
export type Ask = (input: Float32Array, output: Float32Array, marginOf: MarginOf) => Assurance;

/** |ln| of the ratio that decides, of the outputs of a network. */
export type MarginOf = (output: Float32Array) => number;

/**
 * Ask the network of a model, and do what its doubt says where the noise of the chip could have decided:
 *
 *   margin in sigmas = |ln ratio| / √(lasting² + read² / reads)
 *   below `sigmas`:  `mark` it uncertain · `repeat` it and take the mean of all reads; uncertain where that is still
 *                    within the noise · `digital`: ask the twin, which has no noise
 */
export const askOf = ({ network, doubt }: Pick<Model, "network" | "doubt">): Ask => {
  if (doubt === undefined) {
    return (input, output) => {
      network.infer(input, output);
      return sure;
    };
  }
  const one = new Float32Array(sizeOf(network.outputShape));
  const sum = new Float64Array(one.length);
  const repeat = (input: Float32Array, output: Float32Array): void => {
    sum.set(output);
    for (let read = 1; read < doubt.reads; read++) {
      network.infer(input, one);
      for (let i = 0; i < one.length; i++) sum[i]! += one[i]!;
    }
    for (let i = 0; i < one.length; i++) output[i] = sum[i]! / doubt.reads;
  };
  return (input, output, marginOf) => {
    network.infer(input, output);
    const first = marginOf(output);
    doubt.onMargin?.(first);
    const noise = doubt.noise();
    if (noise === undefined) return sure;
    const margin = inSigmas(first, noise, 1);
    if (margin >= doubt.sigmas) return { marginSigmas: margin };
    if (doubt.policy === "mark") return { marginSigmas: margin, uncertain: true };
    if (doubt.policy === "digital") {
      doubt.twin.infer(input, output);
      return { marginSigmas: margin, redone: "digital" };
    }
    repeat(input, output);
    const after = inSigmas(marginOf(output), noise, doubt.reads);
    return { marginSigmas: after, redone: "repeat", ...(after < doubt.sigmas && { uncertain: true as const }) };
  };
};

const sure: Assurance = {};

const inSigmas = (margin: number, { lasting, read }: NonNullable<ReturnType<Doubt["noise"]>>, reads: number): number =>
  margin / Math.max(Math.sqrt(lasting ** 2 + read ** 2 / reads), 1e-12);

/** |ln| of the best score over the second-best; scores that are zero count as the least Float32. */
export const scoreMargin: MarginOf = (scores) => {
  let best = 0;
  let second = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score > best) {
      second = best;
      best = score;
    } else if (score > second) second = score;
  }
  return Math.log(Math.max(best, leastScore) / Math.max(second, leastScore));
};

const leastScore = 1e-38;
