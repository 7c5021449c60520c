import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { KeywordFeatures } from "../../agent/datasets/augment-keywords.ts";
import { collectFeatures } from "../../agent/datasets/collect.ts";
import { modelBytes, zooNames } from "../../agent/models.ts";
import { offlineBlockSeconds, runOffline } from "../../agent/offline.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import { parseModel } from "../../models/load.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Network } from "../../models/network/network.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { runningForm } from "../../models/running-form.ts";
import { sizeOf } from "../../models/tensor.ts";
import { LogMel } from "../../pipelines/dsp/log-mel.ts";
import { featureSettings } from "../../pipelines/features.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import type { Classification } from "../../pipelines/signal.ts";
import { metricRecording } from "../support/metric.ts";

const fixture = (path: string): string => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));
const open = (name: string) => {
  const { graph, manifest } = parseModel(modelBytes(name));
  return { manifest, network: new DigitalNetwork(runningForm(graph, manifest)) };
};

/** The network, and what it was given. */
const noting = (network: Network): { network: Network; inputs: Float32Array[] } => {
  const inputs: Float32Array[] = [];
  const { inputShape, outputShape } = network;
  return {
    inputs,
    network: {
      ...{ inputShape, outputShape },
      infer: (x, y) => {
        inputs.push(x.slice());
        network.infer(x, y);
      },
      ...(network.states && { states: network.states }),
    },
  };
};

describe("a recording", () => {
  const pairs = [
    ["keywords-12", "audio/scene.wav"],
    ["ecg-beats", "ecg/ecg.hea"],
    ["bearing-faults", "vibration/bearing.wav"],
    ["pump-anomaly", "sensor/pump.csv"],
    ["sensor-gru", "metric"],
  ].filter(([name]) => zooNames().includes(name!)) as [string, string][];
  it.each(pairs)(
    "gives %s the same numbers in training and in the agent, bit for bit (%s)",
    async (name, path) => {
      const { manifest, network } = open(name);
      const recording = path === "metric" ? metricRecording() : await openRecording(fixture(path));
      const trained = collectFeatures(frontEnd(manifest, {}), recording.blocks(1));
      const noted = noting(network);
      // Blocks of another length: nothing may depend on how a sender cuts its signal.
      runOffline(
        recording.blocks(path === "metric" ? 1000 : 0.37),
        { manifest, sha256: "", network: noted.network },
        {},
      );
      expect(trained.length).toBeGreaterThan(10);
      expect(noted.inputs.length).toBe(trained.length);
      for (const [i, { data, shape }] of trained.entries()) {
        const codes = new Float32Array(data.length);
        dequantiseInto(quantiseTensor(data, shape, { scale: manifest.input.scale, zeroPoint: 0 }), codes);
        expect(noted.inputs[i]).toEqual(codes);
      }
    },
    60_000,
  );
});

describe("the keywords' pictures join that path at the cosine transform", () => {
  it("which gives from the levels of a second of sound the features of the agent", async () => {
    const { manifest } = open("keywords-12");
    const settings = featureSettings(manifest.input, "mfcc");
    const recording = await openRecording(fixture("audio/keywords-ben.wav"));
    const [block] = [...recording.blocks(1)];
    const [features] = collectFeatures(frontEnd(manifest, {}), [block!]);
    const logMel = new LogMel({ ...settings, sampleRateHz: 16_000 });
    const frames = manifest.input.shape[1]!;
    const levels = new Float32Array(frames * logMel.bands);
    const row = new Float32Array(logMel.bands);
    for (let t = 0; t < frames; t++) {
      logMel.frameInto(
        block!.samples.subarray(t * settings.hopSamples, t * settings.hopSamples + settings.frameSamples),
        0,
        row,
      );
      levels.set(row, t * logMel.bands);
    }
    const training = new KeywordFeatures(settings.coefficients, settings.mean, settings.std);
    const out = new Float32Array(sizeOf(manifest.input.shape));
    training.plainInto(levels, out);
    // Sums of forty Float32 products.
    out.forEach((x, i) => {
      expect(Math.abs(x - features!.data[i]!)).toBeLessThan(1e-4);
    });
  });
});

describe("keywords-12 in a stream", () => {
  it("says at each hop what it says of that second alone, bit for bit", async () => {
    const { manifest, network } = open("keywords-12");
    const recording = await openRecording(fixture("audio/scene.wav"));
    const heard: Classification[] = [];
    runOffline(
      recording.blocks(offlineBlockSeconds),
      { manifest, sha256: "", network },
      {
        onClassification: (classification) => heard.push(classification),
      },
    );
    const { startAtNs, samples } = recording.segments[0]!;
    expect(heard.length).toBe(Math.floor((samples.length - 15_920) / manifest.input.hopSamples) + 1);
    for (const { fromNs, scores } of heard) {
      const from = Number(((fromNs - startAtNs) * 16_000n) / 1_000_000_000n);
      const second = samples.slice(from, from + manifest.input.windowSamples);
      const block = {
        stream: "one",
        startAtNs: 0n,
        sampleRateHz: 16_000,
        channels: recording.channels,
        samples: second,
      };
      const [features] = collectFeatures(frontEnd(manifest, {}), [block]);
      const x = new Float32Array(features!.data.length);
      dequantiseInto(quantiseTensor(features!.data, features!.shape, { scale: manifest.input.scale, zeroPoint: 0 }), x);
      const alone = new Float32Array(scores.length);
      network.infer(x, alone);
      expect(scores).toEqual(alone);
    }
  }, 60_000);
});
