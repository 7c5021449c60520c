import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { foldBatchNorm } from "../../../models/network/fold-batch-norm.ts";
import type { Graph } from "../../../models/network/graph.ts";
import { ModelError } from "../../../models/network/model-error.ts";
import { GraphBuilder, randomGraphs } from "./random-graphs.ts";

describe("DigitalNetwork", () => {
  it("leaves a value alone that two layers read, also behind a reshape", () => {
    const builder = new GraphBuilder([2, 2, 1], 1).conv(1, { kernel: [1, 1] });
    const image = builder.last;
    builder.reshape([4]).plain("relu").reshape([2, 2, 1]);
    const graph = builder.addTo(image).build();
    const [node] = graph.nodes as [Extract<Graph["nodes"][number], { kind: "conv" }>];
    const plain = { ...node, weights: Float32Array.of(1), bias: Float32Array.of(0) };
    const network = new DigitalNetwork({ ...graph, nodes: [plain, ...graph.nodes.slice(1)] });
    const y = new Float32Array(4);
    network.infer(Float32Array.of(-1, 2, -3, 4), y);
    expect([...y]).toEqual([-1, 4, -3, 8]);
  });

  it("does not write to its input", () => {
    const network = new DigitalNetwork(new GraphBuilder([3], 1).plain("relu").build());
    const x = Float32Array.of(-1, 0, 2);
    const y = new Float32Array(3);
    network.infer(x, y);
    expect([[...x], [...y]]).toEqual([
      [-1, 0, 2],
      [0, 0, 2],
    ]);
  });

  it("says which length it expected", () => {
    const network = new DigitalNetwork(randomGraphs["depthwise separable"]!);
    const infer = (inputs: number, outputs: number) => () =>
      network.infer(new Float32Array(inputs), new Float32Array(outputs));
    expect(infer(83, 4)).toThrow("input: expected 84 numbers for shape [12, 7, 1], got 83");
    expect(infer(84, 5)).toThrow("output: expected 4 numbers for shape [4], got 5");
  });

  it("refuses weights that do not fit, and values that no one gives", () => {
    const graph = new GraphBuilder([3], 1).dense(2).build();
    const [node] = graph.nodes as [Extract<Graph["nodes"][number], { kind: "dense" }>];
    const withNode = (changes: object) => () => new DigitalNetwork({ ...graph, nodes: [{ ...node, ...changes }] });
    expect(withNode({ weights: new Float32Array(5) })).toThrow(ModelError);
    expect(withNode({ weights: new Float32Array(5) })).toThrow(
      "node 0-dense (dense): expected 6 weights for 3 inputs, got 5",
    );
    expect(withNode({ inputs: ["nothing"] })).toThrow(
      "node 0-dense: expected an input given by an earlier node, got nothing",
    );
  });
});

describe("foldBatchNorm", () => {
  it("leaves no normalisation behind weights, and keeps one that has none before it", () => {
    const kinds = (name: string) => foldBatchNorm(randomGraphs[name]!).nodes.map((node) => node.kind);
    expect(kinds("depthwise separable")).not.toContain("batch-norm");
    expect(kinds("residual blocks")).not.toContain("batch-norm");
    expect(kinds("batch norm of images, folded and not")).toEqual(["batch-norm", "conv", "relu"]);
  });

  it("computes scale and shift by hand: γ 2, β 1, mean 3, variance 4 − ε take 2 x + 5 to 2 x + 3", () => {
    const graph = new GraphBuilder([1], 1).dense(1).batchNorm().build();
    const one = (value: number) => Float32Array.of(value);
    const nodes = [
      { ...graph.nodes[0]!, weights: one(2), bias: one(5) },
      { ...graph.nodes[1]!, gamma: one(2), beta: one(1), mean: one(3), variance: one(3.5), epsilon: 0.5 },
    ] as Graph["nodes"];
    const folded = foldBatchNorm({ ...graph, nodes }).nodes;
    expect(folded).toEqual([{ ...nodes[0], output: nodes[1]!.output, weights: one(2), bias: one(3) }]);
  });
});
