import { describe, expect, it } from "vitest";
import { SequentialRandom } from "../../../models/random.ts";
import type { Shape } from "../../../models/tensor.ts";
import type { LayerSpec } from "../../../models/training/specification.ts";
import { TrainableNetwork } from "../../../models/training/trainable-network.ts";
import { referenceForward } from "./reference-forward.ts";

const cases: readonly { name: string; input: Shape; layers: readonly LayerSpec[] }[] = [
  { name: "dense", input: [7], layers: [{ kind: "dense", outputs: 5 }] },
  {
    name: "conv along time, stride 2",
    input: [1, 11, 5],
    layers: [{ kind: "conv", channels: 6, kernel: [1, 3], stride: [1, 2] }],
  },
  {
    name: "conv in two dimensions, valid",
    input: [6, 7, 3],
    layers: [{ kind: "conv", channels: 5, kernel: [3, 2], padding: "valid" }],
  },
  { name: "conv 1 × 1", input: [3, 4, 5], layers: [{ kind: "conv", channels: 9, kernel: [1, 1] }] },
  { name: "conv wider than its input", input: [2, 3, 4], layers: [{ kind: "conv", channels: 3, kernel: [5, 7] }] },
  { name: "depthwise", input: [5, 6, 5], layers: [{ kind: "depthwise", kernel: [3, 3], stride: [2, 1] }] },
  { name: "batch-norm", input: [3, 5, 6], layers: [{ kind: "batch-norm" }] },
  { name: "relu", input: [13], layers: [{ kind: "relu" }] },
  { name: "sigmoid", input: [13], layers: [{ kind: "sigmoid" }] },
  { name: "tanh", input: [13], layers: [{ kind: "tanh" }] },
  { name: "gru, its last state", input: [1, 6, 5], layers: [{ kind: "gru", hidden: 7 }] },
  {
    name: "gru of a gru, all states",
    input: [1, 5, 3],
    layers: [
      { kind: "gru", hidden: 4, gives: "all" },
      { kind: "gru", hidden: 5, gives: "all" },
    ],
  },
  { name: "max-pool", input: [6, 6, 3], layers: [{ kind: "max-pool", kernel: [2, 2] }] },
  {
    name: "average-pool, overlapping and padded",
    input: [5, 5, 3],
    layers: [{ kind: "average-pool", kernel: [3, 3], stride: [2, 2], padding: "same" }],
  },
  { name: "global-average-pool", input: [3, 4, 5], layers: [{ kind: "global-average-pool" }] },
  {
    name: "residual with its input as shortcut, relu first",
    input: [1, 6, 4],
    layers: [{ kind: "residual", layers: [{ kind: "relu" }, { kind: "conv", channels: 4, kernel: [1, 3] }] }],
  },
  {
    name: "a small residual net",
    input: [1, 12, 3],
    layers: [
      { kind: "conv", channels: 6, kernel: [1, 3] },
      { kind: "batch-norm" },
      { kind: "relu" },
      {
        kind: "residual",
        layers: [
          { kind: "conv", channels: 8, kernel: [1, 5], stride: [1, 2] },
          { kind: "batch-norm" },
          { kind: "relu" },
          { kind: "conv", channels: 8, kernel: [1, 5] },
          { kind: "batch-norm" },
        ],
        shortcut: [{ kind: "conv", channels: 8, kernel: [1, 1], stride: [1, 2] }, { kind: "batch-norm" }],
      },
      { kind: "relu" },
      { kind: "flatten" },
      { kind: "dense", outputs: 4 },
    ],
  },
];

const count = 4;

describe.each(cases)("Training of $name", ({ input, layers }) => {
  // A 1 × 1 convolution in front, so that the gradient of the layer's input shows in that of its weights and bias.
  const front: LayerSpec[] =
    input.length === 3
      ? [{ kind: "conv", channels: input[2]!, kernel: [1, 1], bias: true }]
      : [{ kind: "dense", outputs: input[0]!, bias: true }];
  const specs = [...front, ...layers];
  const network = new TrainableNetwork({ name: "test", input, layers: specs }, { batch: count + 1 });
  const random = new SequentialRandom(11);
  network.initialise(5);
  for (const { role, value } of network.parameters.parameters) {
    if (role === "other") for (let i = 0; i < value.length; i++) value[i]! += random.gaussian() * 0.3;
  }
  for (let i = 0; i < network.input.length; i++) network.input[i] = random.gaussian();
  const pass = { count, training: true, random };
  const y = network.forward(pass);
  const weights = new Map(network.parameters.parameters.map(({ name, value }) => [name, Float64Array.from(value)]));
  const x = Float64Array.from(network.input.subarray(0, count * network.inputs));
  const reference = () => referenceForward(specs, { data: x, shape: input, count }, weights).data;

  it("gives the outputs of the definition in double precision, within 1e-5 of the largest", () => {
    const expected = reference();
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expected.forEach((value, i) => {
      expect(Math.abs(y[i]! - value)).toBeLessThan(1e-5 * largest);
    });
  });

  it("has the gradients of finite differences in double precision, within 2e-5 of the largest", () => {
    // Loss Σ r·y with random r. Differences over 2e-6 in double precision: error about 1e-9; the rest is single precision.
    const r = Float64Array.from({ length: count * network.outputs }, () => random.gaussian());
    network.outputGradient.set(r);
    network.parameters.gradient.fill(0);
    network.backward(pass);
    const loss = () => reference().reduce((sum, value, i) => sum + value * r[i]!, 0);
    const scale = network.parameters.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const { name, gradient } of network.parameters.parameters) {
      const array = weights.get(name)!;
      for (let trial = 0; trial < Math.min(24, array.length); trial++) {
        const i = array.length <= 24 ? trial : random.integer(array.length);
        const at = array[i]!;
        array[i] = at + 1e-6;
        const above = loss();
        array[i] = at - 1e-6;
        const below = loss();
        array[i] = at;
        const expected = (above - below) / 2e-6;
        expect(Math.abs(gradient[i]! - expected) / scale, `${name}[${i}]: ${gradient[i]} for ${expected}`).toBeLessThan(
          2e-5,
        );
      }
    }
  });
});
