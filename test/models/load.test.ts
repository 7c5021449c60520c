import { describe, expect, it } from "vitest";
import { manifestKey, parseModel, withManifest } from "../../models/load.ts";
import type { Manifest } from "../../models/manifest.ts";
import { writeOnnx } from "../../models/onnx/write.ts";
import { randomGraphs } from "./network/random-graphs.ts";

const graph = randomGraphs["depthwise separable"]!;
const manifest: Manifest = {
  name: "separable",
  version: "1",
  modality: "audio",
  task: "classifier",
  labels: ["a", "b", "c", "d"],
  input: {
    sampleRateHz: 16_000,
    channels: ["left"],
    shape: [12, 7, 1],
    windowSamples: 84,
    hopSamples: 42,
    features: { kind: "raw" },
    scale: 0.01,
  },
  mapping: {
    dacBits: 8,
    adcBits: 8,
    tileInputs: 256,
    tileOutputs: 256,
    ranges: { "0-conv": { inputMax: 1, tileOutputMax: [1] } },
  },
  decisions: [],
  testVectors: [],
  training: { recipe: "none", seed: 1, command: "none" },
};
const bytesOf = (changes: object): Uint8Array => writeOnnx(withManifest(graph, { ...manifest, ...changes }));

describe("parseModel", () => {
  it("gives back the manifest that the file was written with", () => {
    const model = parseModel(bytesOf({}));
    expect(model.manifest).toEqual(manifest);
    expect(model.graph.nodes).toEqual(graph.nodes);
  });

  it("says that a file has no manifest, or none that is JSON", () => {
    expect(() => parseModel(writeOnnx(graph))).toThrow(`model: expected metadata ${manifestKey}, got none of that key`);
    const broken = writeOnnx({ ...graph, metadata: { [manifestKey]: "{name" } });
    expect(() => parseModel(broken)).toThrow("manifest: expected JSON, got {name");
  });

  it("lists every mistake at once, one sentence each", () => {
    const bytes = bytesOf({
      modality: "smell",
      labels: ["a", "b"],
      input: { ...manifest.input, shape: [12, 8, 1], scale: 0 },
      mapping: { ...manifest.mapping, hardware: { pears: 2 }, ranges: { nobody: { inputMax: 1, tileOutputMax: [1] } } },
      decisions: [{ label: "z" }],
      testVectors: [{ input: [1], output: [1] }],
    });
    expect(() => parseModel(bytes)).toThrow(
      [
        'manifest modality: expected audio, ecg, vibration, sensor, image, vectors, got "smell"',
        "manifest input.scale: expected a number > 0, got 0",
        "manifest input.shape: expected the graph's [12, 7, 1], got [12,8,1]",
        'manifest labels: expected 4, one an output, got ["a","b"]',
        "manifest mapping.hardware: expected an object with keys of pairs, pairing, scaleByColumn, weightSlices, " +
          "spareColumns, spareTiles, verify, slowNoise, converters, dacLow, adcLow, inputSliceBits, columnClip, scaleInputs, " +
          'retryClipped, inputCoding, readVolts, outputNoise, got {"pears":2}',
        'manifest mapping.ranges.nobody: expected the name of a node of the graph, got "nobody"',
        'manifest decisions[0].label: expected one of a, b, got "z"',
        'manifest testVectors[0]: expected 84 inputs and 4 outputs, got {"input":[1],"output":[1]}',
      ].join("\n"),
    );
  });
});
