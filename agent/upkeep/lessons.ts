import type { Manifest } from "../../models/manifest.ts";
import { argmax } from "../../models/tensor.ts";
import { type Kept, unlearned } from "./learned.ts";
import type { LivingChip } from "./living-chip.ts";

/** Lessons that a chip has, at most: the newest. */
export const mostLessons = 256;
/** Inputs of the early life that are kept, and how clear the twin must be about them. */
const mostFirst = 64;
const clearFrom = 0.6;

/**
 * Keep one of the inputs that came, while a chip has not learned yet: the next when the number of inferences has grown by
 * a tenth and eight more, so that the first days are among them and not the first minute alone.
 */
export const keepFirst = (chip: LivingChip, inputs: readonly Float32Array[], inference: number): void => {
  const learned = chip.knowledge.learned ?? unlearned;
  const { first, keptAtInference, weights } = learned;
  const input = inputs.at(-1);
  if (input === undefined || weights !== undefined || first.length >= mostFirst) return;
  if (inference < 1.1 * keptAtInference + 8) return;
  const { twin } = chip;
  const probabilities = new Float32Array(chip.manifest.labels.length);
  twin.infer(input, probabilities);
  const label = argmax(probabilities);
  if (probabilities[label]! < clearFrom) return;
  chip.learn({ learned: { ...learned, first: [...first, { input, label }], keptAtInference: inference } });
};

/** The test vectors of a model with their labels. */
export const vectorsOf = ({ testVectors, input: { scale } }: Manifest): readonly Kept[] =>
  testVectors.map(({ input, output }) => ({
    input: Float32Array.from(input, (code) => code * scale),
    label: argmax(output),
  }));
