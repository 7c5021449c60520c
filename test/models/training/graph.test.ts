import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { SequentialRandom } from "../../../models/random.ts";
import type { NetSpec } from "../../../models/training/specification.ts";
import { TrainableNetwork } from "../../../models/training/trainable-network.ts";

const net: NetSpec = {
  name: "all kinds",
  input: [8, 9, 3],
  layers: [
    { kind: "conv", channels: 6, kernel: [3, 3], stride: [1, 2] },
    { kind: "batch-norm" },
    { kind: "relu" },
    { kind: "max-pool", kernel: [2, 2], stride: [2, 1], padding: "same" },
    { kind: "depthwise", kernel: [3, 3] },
    { kind: "batch-norm" },
    { kind: "relu" },
    {
      kind: "residual",
      layers: [{ kind: "relu" }, { kind: "conv", channels: 8, kernel: [3, 1], stride: [2, 1] }, { kind: "batch-norm" }],
      shortcut: [{ kind: "conv", channels: 8, kernel: [1, 1], stride: [2, 1] }],
    },
    { kind: "dropout", rate: 0.5 },
    { kind: "average-pool", kernel: [2, 3], padding: "same" },
    { kind: "flatten" },
    { kind: "dense", outputs: 10 },
    { kind: "relu" },
    { kind: "dense", outputs: 4 },
  ],
};

const recurrent: NetSpec = {
  name: "recurrent",
  input: [1, 8, 3],
  layers: [
    { kind: "gru", hidden: 6, gives: "all" },
    { kind: "gru", hidden: 5 },
    { kind: "dense", outputs: 7 },
    { kind: "tanh" },
    { kind: "dense", outputs: 6 },
    { kind: "sigmoid" },
    { kind: "dense", outputs: 4 },
  ],
};

describe.each([net, recurrent])("The graph of a trained network: $name", (net) => {
  it("gives in the digital network what the trainer saw in validation, within 1e-5", () => {
    const network = new TrainableNetwork(net, { batch: 5 });
    const random = new SequentialRandom(9);
    network.initialise(2);
    for (const { value, role } of network.parameters.parameters) {
      if (role === "other") for (let i = 0; i < value.length; i++) value[i]! += 0.3 * random.gaussian();
    }
    for (const { running } of network.parameters.statistics) {
      for (let i = 0; i < running.length; i++) running[i]! += 0.4 * random.uniform();
    }
    for (let i = 0; i < network.input.length; i++) network.input[i] = random.gaussian();
    const samples = network.input.slice();
    const y = network.forward({ count: 5, training: false, random });
    const digital = new DigitalNetwork(network.toGraph({ softmax: false }));
    const output = new Float32Array(4);
    for (let b = 0; b < 5; b++) {
      digital.infer(samples.slice(b * network.inputs, (b + 1) * network.inputs), output);
      for (let o = 0; o < 4; o++) expect(Math.abs(output[o]! - y[b * 4 + o]!)).toBeLessThan(1e-5);
    }
    const probabilities = new DigitalNetwork(network.toGraph({ softmax: true }));
    probabilities.infer(samples.slice(0, network.inputs), output);
    // Four numbers in single precision that add up to 1.
    expect(Math.abs(output.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-6);
  });
});
