import { hardwareKeys } from "./crossbar/array-spec.ts";
import type { Manifest } from "./manifest.ts";
import type { Graph } from "./network/graph.ts";
import { ModelError } from "./network/model-error.ts";
import { sameShape, showShape } from "./network/shapes.ts";
import { readOnnx } from "./onnx/read.ts";
import { sizeOf } from "./tensor.ts";

/** The key of the manifest, as JSON, in the `metadata_props` of the ONNX file. */
export const manifestKey = "ohmwatch.manifest";

/** The graph with the manifest in its metadata, ready for `writeOnnx`. */
export const withManifest = (graph: Graph, manifest: Manifest): Graph => ({
  ...graph,
  metadata: { ...graph.metadata, [manifestKey]: JSON.stringify(manifest) },
});

/**
 * A model of ours from the bytes of its ONNX file: the graph, and the manifest checked against it.
 *
 * @throws ModelError that lists every mistake of the manifest, one sentence each; and as `readOnnx` does
 */
export const parseModel = (bytes: Uint8Array): { graph: Graph; manifest: Manifest } => {
  const graph = readOnnx(bytes);
  const text = graph.metadata[manifestKey];
  if (text === undefined) throw new ModelError(`model: expected metadata ${manifestKey}, got none of that key`);
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`manifest: expected JSON, got ${text.slice(0, 40)}`, { cause });
  }
  const mistakes = mistakesOf(manifest, graph);
  if (mistakes.length > 0) throw new ModelError(mistakes.join("\n"));
  return { graph, manifest: manifest as Manifest };
};

type Fields = Record<string, unknown>;

const isObject = (x: unknown): x is Fields => typeof x === "object" && x !== null && !Array.isArray(x);
const isListOf = (kind: "string" | "number", x: unknown): boolean =>
  Array.isArray(x) && x.every((item) => typeof item === kind);
const isPositive = (x: unknown): boolean => typeof x === "number" && Number.isFinite(x) && x > 0;
const isCount = (x: unknown): boolean => isPositive(x) && Number.isSafeInteger(x);

const show = (x: unknown): string => (x === undefined ? "none" : (JSON.stringify(x) ?? String(x)).slice(0, 60));

const mistakesOf = (manifest: unknown, graph: Graph): readonly string[] => {
  if (!isObject(manifest)) return [`manifest: expected an object, got ${show(manifest)}`];
  const mistakes: string[] = [];
  const expect = (holds: boolean, key: string, expected: string, got: unknown): void => {
    if (!holds) mistakes.push(`manifest ${key}: expected ${expected}, got ${show(got)}`);
  };
  const { input, mapping, labels, task, modality, decisions, testVectors } = manifest;
  for (const key of ["name", "version"]) expect(typeof manifest[key] === "string", key, "a text", manifest[key]);
  const modalities = ["audio", "ecg", "vibration", "sensor", "image", "vectors"];
  expect(modalities.includes(modality as string), "modality", modalities.join(", "), modality);
  expect(
    ["classifier", "autoencoder", "forecaster"].includes(task as string),
    "task",
    "classifier, autoencoder or forecaster",
    task,
  );
  expect(isListOf("string", labels) && (labels as []).length > 0, "labels", "a list of texts", labels);
  if (isObject(input)) {
    for (const key of ["sampleRateHz", "scale"]) {
      expect(isPositive(input[key]), `input.${key}`, "a number > 0", input[key]);
    }
    for (const key of ["windowSamples", "hopSamples"]) {
      expect(isCount(input[key]), `input.${key}`, "an integer > 0", input[key]);
    }
    expect(isListOf("string", input["channels"]), "input.channels", "a list of texts", input["channels"]);
    const features = input["features"];
    expect(
      isObject(features) && typeof features["kind"] === "string",
      "input.features",
      "an object with a kind",
      features,
    );
    const shape = isListOf("number", input["shape"]) ? (input["shape"] as number[]) : [];
    expect(
      sameShape(shape, graph.input.shape),
      "input.shape",
      `the graph's ${showShape(graph.input.shape)}`,
      input["shape"],
    );
  } else expect(false, "input", "an object", input);
  const outputs = sizeOf(graph.output.shape);
  if (task === "classifier" && Array.isArray(labels)) {
    expect(labels.length === outputs, "labels", `${outputs}, one an output`, labels);
  }
  if (task === "autoencoder" || task === "forecaster") {
    const inputs = sizeOf(graph.input.shape);
    expect(outputs === inputs, "task", `an ${task} to give as many as its ${inputs} inputs`, `${outputs} outputs`);
  }
  if (isObject(mapping)) {
    for (const key of ["dacBits", "adcBits", "tileInputs", "tileOutputs"]) {
      expect(isCount(mapping[key]), `mapping.${key}`, "an integer > 0", mapping[key]);
    }
    const { ranges, hardware = {} } = mapping;
    const unknown = isObject(hardware) ? Object.keys(hardware).filter((key) => !hardwareKeys.includes(key)) : [""];
    expect(unknown.length === 0, "mapping.hardware", `an object with keys of ${hardwareKeys.join(", ")}`, hardware);
    expect(isObject(ranges), "mapping.ranges", "an object by node", ranges);
    const names = new Set(
      graph.nodes.flatMap(({ kind, name }) => (kind === "gru" ? [`${name}/input`, `${name}/recurrent`] : [name])),
    );
    for (const [name, range] of Object.entries(isObject(ranges) ? ranges : {})) {
      expect(names.has(name), `mapping.ranges.${name}`, "the name of a node of the graph", name);
      const fits = isObject(range) && isPositive(range["inputMax"]) && isListOf("number", range["tileOutputMax"]);
      expect(fits, `mapping.ranges.${name}`, "an inputMax > 0 and a list tileOutputMax", range);
    }
  } else expect(false, "mapping", "an object", mapping);
  const rules = Array.isArray(decisions) ? decisions : [];
  expect(Array.isArray(decisions), "decisions", "a list", decisions);
  rules.forEach((rule: unknown, i) => {
    const label = isObject(rule) ? rule["label"] : rule;
    const known = Array.isArray(labels) && labels.includes(label);
    expect(known, `decisions[${i}].label`, `one of ${Array.isArray(labels) ? labels.join(", ") : "the labels"}`, label);
  });
  expect(Array.isArray(testVectors), "testVectors", "a list", testVectors);
  (Array.isArray(testVectors) ? testVectors : []).forEach((vector: unknown, i) => {
    const inputs = sizeOf(graph.input.shape);
    const fits =
      isObject(vector) &&
      isListOf("number", vector["input"]) &&
      (vector["input"] as []).length === inputs &&
      isListOf("number", vector["output"]) &&
      (vector["output"] as []).length === outputs;
    expect(fits, `testVectors[${i}]`, `${inputs} inputs and ${outputs} outputs`, vector);
  });
  return mistakes;
};
