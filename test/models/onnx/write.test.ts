import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Graph } from "../../../models/network/graph.ts";
import { readOnnx } from "../../../models/onnx/read.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";
import { randomGraphs } from "../network/random-graphs.ts";

const sampleFor = (graph: Graph, seed: number): Float32Array => {
  const random = new SequentialRandom(seed);
  return Float32Array.from({ length: sizeOf(graph.input.shape) }, () => random.gaussian());
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
};

describe("writeOnnx", () => {
  for (const [name, graph] of Object.entries(randomGraphs)) {
    it(`writes what onnxruntime runs as we do, within 1e-4 and on both kernels: ${name}`, async () => {
      const session = await InferenceSession.create(writeOnnx(graph));
      for (const seed of [1, 2]) {
        const x = sampleFor(graph, seed);
        const feeds = { [graph.input.name]: new Tensor("float32", x, [1, ...graph.input.shape]) };
        const oracle = (await session.run(feeds))[graph.output.name]!;
        expect(oracle.dims).toEqual([1, ...graph.output.shape]);
        for (const kernel of ["reference", "simd"] as const) {
          const y = new Float32Array(sizeOf(graph.output.shape));
          new DigitalNetwork(graph, { kernel }).infer(x, y);
          // Activations are near 1, sums of up to 108 Float32 products: about 1e-6, a hundredfold margin.
          expect(largestDifference(y, oracle.data as Float32Array)).toBeLessThan(1e-4);
        }
      }
    });

    it(`writes what readOnnx reads back, every field equal: ${name}`, () => {
      expect(readOnnx(writeOnnx(graph))).toEqual(graph);
    });
  }

  it("lets onnxruntime take several samples at once", async () => {
    const graph = randomGraphs["depthwise separable"]!;
    const session = await InferenceSession.create(writeOnnx(graph));
    const [a, b] = [sampleFor(graph, 1), sampleFor(graph, 2)];
    const both = new Tensor("float32", Float32Array.from([...a, ...b]), [2, ...graph.input.shape]);
    const { data, dims } = (await session.run({ input: both }))[graph.output.name]!;
    expect(dims).toEqual([2, 4]);
    const y = new Float32Array(4);
    new DigitalNetwork(graph).infer(b, y);
    expect(largestDifference(y, (data as Float32Array).subarray(4))).toBeLessThan(1e-4);
  });

  it("refuses a graph whose shapes do not fit, with the node and both shapes", () => {
    const graph = randomGraphs["depthwise"]!;
    const output = { name: "value-0", shape: [1, 2, 3] };
    const nodes = graph.nodes.map((node, i) => (i === 0 ? { ...node, output } : node));
    expect(() => writeOnnx({ ...graph, nodes })).toThrow(
      "node 0-depthwise (depthwise): expected an output [6, 8, 5], got [1, 2, 3]",
    );
  });
});
