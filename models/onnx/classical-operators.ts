import type { NodeReader } from "./graph-reader.ts";

/** scikit-learn's linear models (`ai.onnx.ml`): the scores of a `LinearClassifier`, its second output, and a `LinearRegressor`. */
export const readLinear = (node: NodeReader): void => {
  const { value, places } = node.vector(0);
  const coefficients = node.floats("coefficients") ?? node.fail("coefficients", "none");
  const inputs = places.length;
  const outputs = coefficients.length / inputs;
  if (!Number.isInteger(outputs)) node.fail(`coefficients for ${inputs} features`, coefficients.length);
  const isClassifier = node.onnx.opType === "LinearClassifier";
  if (isClassifier && outputs < 2) node.fail("coefficients of each class", "those of one");
  const weights = new Float32Array(coefficients.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) weights[o * inputs + places[i]!] = coefficients[o * inputs + i]!;
  }
  const bias = Float32Array.from(node.floats("intercepts") ?? new Array<number>(outputs).fill(0));
  if (bias.length !== outputs) node.fail(`${outputs} intercepts`, bias.length);
  const given = node.onnx.output?.[isClassifier ? 1 : 0] ?? node.fail("an output of scores", "none");
  const then = node.text("post_transform", "NONE");
  const kinds = { NONE: undefined, SOFTMAX: "softmax", LOGISTIC: "sigmoid" } as const;
  if (!(then in kinds)) node.fail("post_transform NONE, SOFTMAX or LOGISTIC", then);
  const kind = kinds[then as keyof typeof kinds];
  const output = { name: given, shape: [outputs] };
  const scores = kind ? { name: `${given}:scores`, shape: [outputs] } : output;
  node.emit({ kind: "dense", name: node.name, inputs: [value.name], output: scores, weights, bias });
  if (kind) node.emit({ kind, name: `${node.name}/${kind}`, inputs: [scores.name], output });
  node.graph.setTensor(given, { value: output, shape: [outputs], axes: [0] });
};

/** `Normalizer` to a sum of 1 of what has it already: probabilities by softmax, or two by the logistic function. */
export const readNormalizer = (node: NodeReader): void => {
  const norm = node.text("norm", "MAX");
  const { value } = node.vector(0);
  const before = node.graph.nodes.find(({ output }) => output.name === value.name);
  const isOne = before?.kind === "softmax" || (before?.kind === "sigmoid" && value.shape[0] === 2);
  if (norm !== "L1" || !isOne)
    node.fail("norm L1 of probabilities by softmax, or of two", `${norm} of ${before?.kind}`);
  node.give(node.tensor(0));
};
