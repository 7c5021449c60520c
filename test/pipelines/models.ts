import type { DecisionRule, InputContract, StreamModality } from "../../models/manifest.ts";
import type { Model } from "../../models/model.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { RPeakDetector } from "../../pipelines/operators/frame-at-r-peaks.ts";

const neutral = { mean: [0], std: [1] };

/** Input contracts like those of the real models. */
export const contracts: Readonly<Record<StreamModality, InputContract>> = {
  audio: {
    sampleRateHz: 16000,
    channels: ["sound"],
    shape: [1, 98, 40],
    windowSamples: 16000,
    hopSamples: 3200,
    scale: 5,
    features: {
      kind: "mfcc",
      frameSamples: 480,
      hopSamples: 160,
      fftSamples: 512,
      melBands: 40,
      lowHz: 0,
      highHz: 4000,
      coefficients: 40,
      ...neutral,
    },
  },
  ecg: {
    sampleRateHz: 180,
    channels: ["MLII"],
    shape: [1, 110, 5],
    windowSamples: 45,
    hopSamples: 65,
    scale: 0.02,
    features: {
      kind: "beat",
      lowHz: 0.5,
      highHz: 40,
      order: 2,
      channels: ["beat", "template", "rhythm-a", "rhythm-b", "shape-a"],
    },
  },
  vibration: {
    sampleRateHz: 12000,
    channels: ["acceleration"],
    shape: [1, 128, 1],
    windowSamples: 4096,
    hopSamples: 2048,
    scale: 0.03,
    features: { kind: "spectrum", segmentSamples: 1024, segmentHopSamples: 512, bands: 128, ...neutral },
  },
  sensor: {
    sampleRateHz: 1,
    channels: ["a", "b"],
    shape: [1, 8, 2],
    windowSamples: 8,
    hopSamples: 1,
    scale: 8 / 127,
    features: {
      kind: "standardised",
      baselineRows: 50,
      clip: 8,
      relativeStdFloor: 0.001,
      scoredRows: 8,
      smoothWindows: 1,
      thresholdQuantile: 1,
      thresholdFactor: 1.5,
    },
  },
};

/** A rule that any hit meets at once. */
export const rule = (label: string, changes: Partial<DecisionRule> = {}): DecisionRule => ({
  label,
  severity: "major",
  enter: 0.5,
  leave: 0.5,
  confirm: 1,
  window: 1,
  refractoryMs: 0,
  ...changes,
});

export interface ModelOptions {
  readonly labels?: readonly string[];
  readonly decisions?: readonly DecisionRule[];
  readonly input?: InputContract;
  /** What the network answers; by default it is sure of the first label, or gives back zeros. */
  readonly infer?: (input: Float32Array, output: Float32Array) => void;
}

/** A model whose network is a plain function. */
export const modelOf = (modality: StreamModality, options: ModelOptions = {}): Model => {
  const isSensor = modality === "sensor";
  const labels = options.labels ?? (isSensor ? ["normal", "anomaly"] : ["n", "v"]);
  const input = options.input ?? contracts[modality];
  const answer = (_: Float32Array, output: Float32Array) => {
    output.fill(0);
    if (!isSensor) output[0] = 1;
  };
  return {
    manifest: {
      name: `tiny-${modality}`,
      version: "1",
      modality,
      task: isSensor ? "autoencoder" : "classifier",
      labels,
      input,
      mapping: { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, ranges: {} },
      decisions: options.decisions ?? [],
      testVectors: [],
      training: { recipe: "", seed: 0, command: "" },
    },
    sha256: "",
    network: {
      inputShape: input.shape,
      outputShape: isSensor ? [sizeOf(input.shape)] : [labels.length],
      infer: options.infer ?? answer,
    },
  };
};

/** Finds each sample that is larger than `level` and than both its neighbours: enough for pulses drawn by hand. */
export const peakDetector = (level: number): RPeakDetector => {
  let taken = 0;
  let [before, at] = [0, 0];
  return {
    push(samples) {
      const found: number[] = [];
      for (const next of samples) {
        if (at > level && at > before && at >= next) found.push(taken - 1);
        [before, at] = [at, next];
        taken++;
      }
      return found;
    },
    flush: () => [],
  };
};
