import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { sizeOf } from "../../models/tensor.ts";

const zoo = fileURLToPath(new URL("../../models/zoo", import.meta.url));
const names = existsSync(zoo) ? readdirSync(zoo).filter((name) => existsSync(`${zoo}/${name}/model.onnx`)) : [];

describe.skipIf(names.length === 0)("the models of the zoo", () => {
  for (const name of names) {
    it(`give what onnxruntime gives and what their test vectors say: ${name}`, async () => {
      const bytes = readFileSync(`${zoo}/${name}/model.onnx`);
      const { graph, manifest } = parseModel(bytes);
      const session = await InferenceSession.create(bytes);
      const network = new DigitalNetwork(graph);
      expect(manifest.testVectors.length).toBeGreaterThan(0);
      for (const { input, output } of manifest.testVectors) {
        const x = Float32Array.from(input, (code) => code * manifest.input.scale);
        const y = new Float32Array(sizeOf(graph.output.shape));
        network.infer(x, y);
        const tensor = new Tensor("float32", x, [1, ...graph.input.shape]);
        const oracle = (await session.run({ [graph.input.name]: tensor }))[graph.output.name]!.data as Float32Array;
        // Relative to the largest output: Float32 sums of up to some hundred products in other orders.
        const scale = Math.max(1, ...oracle.map(Math.abs));
        for (let i = 0; i < y.length; i++) {
          expect(Math.abs(y[i]! - oracle[i]!) / scale).toBeLessThan(1e-4);
          // Vectors are written as decimals.
          expect(Math.abs(y[i]! - output[i]!) / scale).toBeLessThan(1e-3);
        }
      }
    });

    it(`fit the ranges of their mapping, so that an ideal chip clips next to nothing: ${name}`, () => {
      const { graph, manifest } = parseModel(readFileSync(`${zoo}/${name}/model.onnx`));
      const { mapping, input, testVectors } = manifest;
      const chip = new AnalogNetwork(graph, { device: deviceByName("ideal"), seed: 1, mapping, kernel: "simd" });
      const y = new Float32Array(sizeOf(graph.output.shape));
      for (const vector of testVectors)
        chip.infer(
          Float32Array.from(vector.input, (code) => code * input.scale),
          y,
        );
      const { inputs, outputs } = chip.saturation();
      const values = graph.nodes.reduce((sum, node) => sum + sizeOf(node.output.shape), sizeOf(graph.input.shape));
      // Outliers beyond the 99.99 % quantile may clip; an error of scale would clip a large part.
      expect((inputs + outputs) / (values * testVectors.length)).toBeLessThan(0.01);
    });
  }
});
