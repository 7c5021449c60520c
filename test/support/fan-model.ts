import { collectFeatures } from "../../agent/datasets/collect.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { Graph } from "../../models/network/graph.ts";
import { quantiseTensor } from "../../models/quantisation.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { toneModel } from "./tiny-models.ts";
import { toneBlock } from "./tones.ts";

/** A fault: 4 kHz. A new fan: 2.5 kHz and 4 kHz, which the tone model takes for the fault. Healthy: 1 kHz. */
export const healthy = (second: number): SampleBlock => toneBlock(second, 1000);
export const fault = (second: number): SampleBlock => toneBlock(second, 4000);
export const fan = (second: number): SampleBlock => {
  const [a, b] = [toneBlock(second, 4000), toneBlock(second, 2500)];
  return { ...a, samples: a.samples.map((x, i) => x + b.samples[i]!) };
};

/** The tone model with one window of each sound that it was made for. */
export const fanModel = (): { graph: Graph; manifest: Manifest } => {
  const { graph, manifest } = toneModel();
  const testVectors = [healthy, fault].flatMap((sound, label) => {
    const [, first] = collectFeatures(frontEnd(manifest, {}), [0, 1, 2].map(sound));
    const { scale, shape } = manifest.input;
    const { data } = quantiseTensor(first!.data, shape, { scale, zeroPoint: 0 });
    return [{ input: [...data], output: [1 - label, label] }];
  });
  // Whatever is more likely counts: learning is held to that.
  const decisions = manifest.decisions.map((rule) => ({ ...rule, enter: 0.5, leave: 0.5 }));
  return { graph, manifest: { ...manifest, decisions, testVectors } };
};
