import { withManifest } from "../../models/load.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { Graph } from "../../models/network/graph.ts";
import { writeOnnx } from "../../models/onnx/write.ts";

const bands = 32;
const rateHz = 12_000;
/** Which band of the spectrum a frequency falls into. */
const bandOf = (hertz: number): number => Math.floor((hertz / (rateHz / 2)) * bands);

/**
 * A model by hand: says `inner-race` when there is more at 4 kHz than at 1 kHz, else `normal`. Four windows of a third
 * of a second a second; three of four raise an anomaly.
 */
export const toneModel = (overrides: Partial<Manifest> = {}): { graph: Graph; manifest: Manifest } => {
  const weights = new Float32Array(2 * bands);
  weights[bandOf(1000)] = 2;
  weights[bands + bandOf(4000)] = 2;
  const graph: Graph = {
    name: "tones",
    input: { name: "input", shape: [1, bands, 1] },
    output: { name: "probabilities", shape: [2] },
    nodes: [
      { kind: "reshape", name: "flat", inputs: ["input"], output: { name: "flat-out", shape: [bands] } },
      {
        kind: "dense",
        name: "dense",
        inputs: ["flat-out"],
        output: { name: "dense-out", shape: [2] },
        weights,
        bias: new Float32Array(2),
      },
      { kind: "softmax", name: "softmax", inputs: ["dense-out"], output: { name: "probabilities", shape: [2] } },
    ],
    metadata: {},
  };
  const manifest: Manifest = {
    name: "tones",
    version: "1",
    modality: "vibration",
    task: "classifier",
    labels: ["normal", "inner-race"],
    input: {
      sampleRateHz: rateHz,
      channels: ["acceleration"],
      shape: [1, bands, 1],
      windowSamples: 4096,
      hopSamples: 3000,
      features: { kind: "spectrum", segmentSamples: 1024, segmentHopSamples: 512, bands, mean: [0], std: [1] },
      scale: 6 / 127,
    },
    mapping: {
      dacBits: 8,
      adcBits: 8,
      tileInputs: 256,
      tileOutputs: 256,
      ranges: { dense: { inputMax: 6, tileOutputMax: [24] } },
    },
    decisions: [
      { label: "inner-race", severity: "major", enter: 0.8, leave: 0.5, confirm: 3, window: 4, refractoryMs: 0 },
    ],
    testVectors: [],
    training: { recipe: "by hand", seed: 0, command: "" },
    ...overrides,
  };
  return { graph, manifest };
};

/** A model by hand for two slow sensors: gives back zero, so that its error is how far they are from their baseline. */
export const farModel = (): { graph: Graph; manifest: Manifest } => {
  const size = 8;
  const graph: Graph = {
    name: "far",
    input: { name: "input", shape: [1, 4, 2] },
    output: { name: "back", shape: [size] },
    nodes: [
      { kind: "reshape", name: "flat", inputs: ["input"], output: { name: "flat-out", shape: [size] } },
      {
        kind: "dense",
        name: "dense",
        inputs: ["flat-out"],
        output: { name: "back", shape: [size] },
        weights: new Float32Array(size * size),
        bias: new Float32Array(size),
      },
    ],
    metadata: {},
  };
  const { manifest } = toneModel();
  return {
    graph,
    manifest: {
      ...manifest,
      name: "far",
      modality: "sensor",
      task: "autoencoder",
      labels: ["normal", "anomaly"],
      input: {
        sampleRateHz: 1,
        channels: ["pressure", "flow"],
        shape: [1, 4, 2],
        windowSamples: 4,
        hopSamples: 1,
        features: {
          kind: "standardised",
          baselineRows: 40,
          clip: 8,
          relativeStdFloor: 0.001,
          scoredRows: 4,
          smoothWindows: 1,
          thresholdQuantile: 1,
          thresholdFactor: 2,
        },
        scale: 8 / 127,
      },
      mapping: { ...manifest.mapping, ranges: { dense: { inputMax: 8, tileOutputMax: [1] } } },
      decisions: [
        { label: "anomaly", severity: "major", enter: 1, leave: 0.8, confirm: 2, window: 3, refractoryMs: 0 },
      ],
    },
  };
};

/** The ONNX file of a model. */
export const onnxOf = ({ graph, manifest }: { graph: Graph; manifest: Manifest }): Uint8Array =>
  writeOnnx(withManifest(graph, manifest));
