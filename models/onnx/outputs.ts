import { ModelError } from "../network/model-error.ts";
import { floatType } from "./names.ts";
import type { OnnxGraph, OnnxNode, OnnxValueInfo } from "./schema.ts";

/**
 * The one output of numbers. Classifiers of scikit-learn give the label beside it, and the numbers as a map from label to
 * probability (`ZipMap`): then what the map is made of is meant.
 *
 * @throws ModelError where there are several, or none
 */
export const soughtOutput = (file: OnnxGraph): OnnxValueInfo => {
  const outputs = file.output ?? [];
  const ofNumbers = outputs.filter(({ type }) => (type?.tensorType?.elemType ?? floatType) === floatType);
  const [only, ...others] = ofNumbers;
  if (!only || others.length > 0) throw new ModelError(`model: expected one output of floats, got ${ofNumbers.length}`);
  const zip = file.node?.find(({ opType, output }) => opType === "ZipMap" && output?.[0] === only.name);
  return zip ? { name: zip.input?.[0] ?? "" } : only;
};

/** The nodes and initialisers that an output depends on, in their order, and it alone. */
export const livePart = (file: OnnxGraph, output: OnnxValueInfo): OnnxGraph => {
  const needed = new Set([output.name]);
  const node: OnnxNode[] = [];
  for (const candidate of (file.node ?? []).toReversed()) {
    if (!candidate.output?.some((name) => needed.has(name))) continue;
    node.unshift(candidate);
    for (const name of candidate.input ?? []) if (name) needed.add(name);
  }
  const initializer = (file.initializer ?? []).filter(({ name }) => needed.has(name ?? ""));
  return { ...file, node, initializer, output: [output] };
};
