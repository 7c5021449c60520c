import type { Manifest } from "../../models/manifest.ts";
import type { Network } from "../../models/network/network.ts";
import { dequantiseInto } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import { featureSettings } from "../../pipelines/features.ts";
import type { Scoring } from "./answer-noise.ts";

/** Inputs kept to try a chip with: so many, but of large ones fewer, not more numbers than these. */
const mostInputs = 256;
const mostInputNumbers = 65_536;
/** So few show what noise there is to a fifth; with fewer nothing is fitted to them. */
export const fewInputs = 32;

/** How often each input is read to try a chip. */
export const readsOfInput = 2;

/** How many inputs of a network are kept. */
export const inputsKeptOf = ({ inputShape }: Pick<Network, "inputShape">): number =>
  Math.min(mostInputs, Math.max(fewInputs, Math.floor(mostInputNumbers / sizeOf(inputShape))));

/** So many of the inputs: spread evenly, or of a network that carries a state the last ones, which follow each other. */
export const someOf = (
  inputs: readonly Float32Array[],
  count: number,
  { states = [] }: Pick<Network, "states">,
): readonly Float32Array[] => {
  if (count >= inputs.length) return inputs;
  if (states.length > 0) return inputs.slice(inputs.length - count);
  return Array.from({ length: count }, (_, i) => inputs[Math.floor((i * inputs.length) / count)]!);
};

/** The inputs of the test vectors; of a forecaster, which takes a row an inference, each of their rows. */
export const testInputs = ({
  testVectors,
  task,
  input: { scale, shape, channels },
}: Manifest): readonly Float32Array[] => {
  const rowSize = task === "forecaster" ? channels.length : sizeOf(shape);
  return testVectors.flatMap(({ input }) => {
    const real = new Float32Array(sizeOf(shape));
    dequantiseInto({ data: Int8Array.from(input), shape, scale, zeroPoint: 0 }, real);
    return Array.from({ length: real.length / rowSize }, (_, i) => real.slice(i * rowSize, (i + 1) * rowSize));
  });
};

/** How the agent decides by the errors of an autoencoder. */
export const scoringOf = ({ input }: Manifest): Scoring => {
  if (input.features.kind !== "standardised") return { smoothed: 1, scoredFrom: 0 };
  const { smoothWindows, scoredRows } = featureSettings(input, "standardised");
  return { smoothed: smoothWindows, scoredFrom: Math.max(0, sizeOf(input.shape) - scoredRows * input.channels.length) };
};
