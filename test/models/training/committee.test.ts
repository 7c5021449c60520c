import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Graph, Node } from "../../../models/network/graph.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { committeeOf } from "../../../models/training/committee.ts";

const sizes = [6, 5, 4, 3];
/** Three dense layers with relu between, weights by seed. */
const netOf = (seed: number, last: "dense" | "softmax" = "dense"): Graph => {
  const random = new SequentialRandom(seed);
  const some = (n: number) => Float32Array.from({ length: n }, () => random.gaussian());
  const nodes: Node[] = [];
  for (let k = 0; k < 3; k++) {
    const [inputs, outputs] = [sizes[k]!, sizes[k + 1]!];
    const output = { name: `dense-${k}`, shape: [outputs] };
    const taken = k === 0 ? "x" : `relu-${k - 1}`;
    nodes.push({
      kind: "dense",
      name: `d${k}`,
      inputs: [taken],
      output,
      weights: some(inputs * outputs),
      bias: some(outputs),
    });
    if (k < 2)
      nodes.push({
        kind: "relu",
        name: `r${k}`,
        inputs: [output.name],
        output: { name: `relu-${k}`, shape: [outputs] },
      });
  }
  if (last === "softmax")
    nodes.push({ kind: "softmax", name: "s", inputs: ["dense-2"], output: { name: "p", shape: [3] } });
  return { name: "net", input: { name: "x", shape: [6] }, output: nodes.at(-1)!.output, nodes, metadata: {} };
};
const answer = (graph: Graph, x: Float32Array): number[] => {
  const out = new Float32Array(3);
  new DigitalNetwork(graph, { kernel: "reference" }).infer(x, out);
  return [...out];
};
const input = Float32Array.from([0.3, -1, 0.7, 2, -0.4, 0.1]);

describe("committeeOf", () => {
  it("gives the mean of its members' logits, and softmax of that", () => {
    const members = [1, 2, 3, 4];
    const logits = members.map((seed) => answer(netOf(seed), input));
    const mean = [0, 1, 2].map((c) => logits.reduce((sum, of) => sum + of[c]!, 0) / members.length);
    answer(committeeOf(members.map((seed) => netOf(seed))), input).forEach((x, c) => {
      expect(x).toBeCloseTo(mean[c]!, 4);
    });
    const total = mean.reduce((sum, z) => sum + Math.exp(z), 0);
    answer(committeeOf(members.map((seed) => netOf(seed, "softmax"))), input).forEach((p, c) => {
      expect(p).toBeCloseTo(Math.exp(mean[c]!) / total, 5);
    });
  });

  it("is the net itself where there is one, and refuses none, and nets of one dense layer", () => {
    const one = netOf(1);
    expect(committeeOf([one])).toBe(one);
    expect(() => committeeOf([])).toThrow("expected at least one net, got none");
    const flat = { ...one, nodes: one.nodes.slice(0, 1) };
    expect(() => committeeOf([flat, flat])).toThrow("expected two or more dense layers, got 1");
  });
});
