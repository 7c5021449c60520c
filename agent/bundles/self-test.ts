import { parseModel } from "../../models/load.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { BundleError } from "./bundle.ts";

/** How far an output may be from its test vector, as a part of the largest: vectors are written as decimals. */
const tolerance = 1e-3;

/** Run a model on the test vectors that travel with it, without a crossbar. @throws BundleError 65 where one differs, or there are none */
export const selfTest = (model: Uint8Array): { readonly vectors: number } => {
  const { graph, manifest } = parseModel(model);
  const { name, testVectors, input } = manifest;
  if (testVectors.length === 0) throw new BundleError(`expected ${name} with test vectors, got none`, 65);
  const network = new DigitalNetwork(graph);
  const size = network.outputShape.reduce((a, b) => a * b, 1);
  testVectors.forEach(({ input: codes, output: expected }, i) => {
    const output = new Float32Array(size);
    network.infer(
      Float32Array.from(codes, (code) => code * input.scale),
      output,
    );
    const scale = Math.max(1, ...expected.map(Math.abs));
    const off = output.findIndex((value, k) => !(Math.abs(value - expected[k]!) <= tolerance * scale));
    if (off >= 0) {
      const got = `${output[off]} for output ${off}`;
      throw new BundleError(`${name}: expected ${expected[off]} of test vector ${i}, got ${got}`, 65);
    }
  });
  return { vectors: testVectors.length };
};
