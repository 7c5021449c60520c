import { readFileSync } from "node:fs";
import { parseModel } from "../models/load.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import { Dct } from "../pipelines/dsp/dct.ts";
import { LogMel } from "../pipelines/dsp/log-mel.ts";
import { featureSettings } from "../pipelines/features.ts";
import { columnReuse } from "./column-reuse.ts";
import { compare, printTable } from "./timing.ts";

/** What a hop of keywords-12 costs: its front end, all frames of the window or the new ones, and its network. */
export const run = async (): Promise<void> => {
  const { graph, manifest } = parseModel(
    readFileSync(new URL("../models/zoo/keywords-12/model.onnx", import.meta.url)),
  );
  const { input } = manifest;
  const settings = featureSettings(input, "mfcc");
  const [, frames = 0, coefficients = 0] = input.shape;
  const hopFrames = input.hopSamples / settings.hopSamples;
  const logMel = new LogMel({ ...settings, sampleRateHz: input.sampleRateHz });
  const dct = new Dct(logMel.bands, coefficients);
  const sound = Float32Array.from({ length: input.windowSamples }, (_, i) => Math.sin((i + 1) ** 2 * 12.9898));
  const levels = new Float32Array(logMel.bands);
  const features = new Float32Array(frames * coefficients);
  const frontEnd = (count: number) => (): void => {
    for (let t = 0; t < count; t++) {
      logMel.frameInto(sound, t * settings.hopSamples, levels);
      dct.applyInto(levels, 0, features, t * coefficients);
    }
  };
  const network = new DigitalNetwork(graph, { kernel: "simd" });
  const [whole, fresh] = [frontEnd(frames), frontEnd(hopFrames)];
  const scores = new Float32Array(manifest.labels.length);
  const answer = (): void => network.infer(features, scores);
  const times = await compare(
    [
      {
        name: "windowed: all frames, network",
        call: () => {
          whole();
          answer();
        },
      },
      {
        name: "streaming: new frames, network",
        call: () => {
          fresh();
          answer();
        },
      },
      { name: `front end of ${frames} frames`, call: whole },
      { name: `front end of ${hopFrames} frames`, call: fresh },
      { name: "network", call: answer },
    ],
    { rounds: 15, millisecondsEach: 60 },
  );
  printTable("keywords-12, one thread", "a hop", times);
  const layers = columnReuse(graph, hopFrames);
  let [all, saved] = [0, 0];
  console.log(`\n  ${"layer".padEnd(12)} stride columns reused      MACs`);
  for (const { node, stride, columns, reused, multiplyAccumulates } of layers) {
    all += multiplyAccumulates;
    saved += (multiplyAccumulates / columns) * reused;
    console.log(
      `  ${node.padEnd(26)} ${String(stride).padStart(6)} ${String(columns).padStart(7)} ${String(reused).padStart(6)} ${String(multiplyAccumulates).padStart(9)}`,
    );
  }
  const part = ((100 * saved) / all).toFixed(1);
  console.log(`  ${all} MACs a hop; columns of windows before hold ${Math.round(saved)} of them, ${part} %`);
};
