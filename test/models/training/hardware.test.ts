import { describe, expect, it } from "vitest";
import { foldBatchNorm } from "../../../models/network/fold-batch-norm.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { clipWeights, disturbWeights, pcmNoiseShape } from "../../../models/training/hardware.ts";
import type { LayerSpec } from "../../../models/training/specification.ts";
import { TrainableNetwork } from "../../../models/training/trainable-network.ts";

const networkOf = (layers: readonly LayerSpec[], converters = {}) => {
  const spec = { name: "test", input: [4, 4, 8], layers };
  const network = new TrainableNetwork(spec, { batch: 4, noisy: true, converters });
  network.initialise(1);
  return network;
};

const deviationOf = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe("Noise on weights in training", () => {
  it("has the spread asked for at the largest weight, and that of PCM, 0.25 of it, at zero", () => {
    const { parameters, loops } = networkOf([{ kind: "dense", outputs: 16 }]);
    const { value, used } = parameters.parameters[0]!;
    value.fill(0);
    value.fill(-0.7, 0, 8);
    const [large, small]: [number[], number[]] = [[], []];
    for (let key = 0; key < 500; key++) {
      disturbWeights(parameters, loops, { weightNoise: 0.05 }, [key, 7]);
      used.forEach((w, i) => void (i < 8 ? large : small).push(w - value[i]!));
    }
    const [c0, c1, c2] = pcmNoiseShape as [number, number, number];
    // 4,000 draws: the standard deviation is known within 1.1 %; five of those.
    expect(Math.abs(deviationOf(large) / (0.05 * 0.7) - 1)).toBeLessThan(0.055);
    expect(Math.abs(deviationOf(small) / ((0.05 * 0.7 * c0) / (c0 + c1 + c2)) - 1)).toBeLessThan(0.055);
  });

  it.each([
    ["conv", { kind: "conv", channels: 6, kernel: [3, 3] }],
    ["depthwise", { kind: "depthwise", kernel: [3, 3] }],
  ] as const)("is even over the channels as the crossbar has them, after folding: %s", (_, layer) => {
    const network = networkOf([layer, { kind: "batch-norm" }]);
    const { parameters, loops } = network;
    const random = new SequentialRandom(5);
    const gamma = parameters.parameters.find(({ name }) => name.endsWith("gamma"))!.value;
    const variance = parameters.statistics.find(({ name }) => name.endsWith("variance"))!.running;
    for (const array of [gamma, variance]) for (let c = 0; c < array.length; c++) array[c] = 0.5 + random.uniform();
    const onCrossbar = () => {
      const [node] = foldBatchNorm(network.toGraph({ softmax: false })).nodes;
      return node && "weights" in node ? node.weights : new Float32Array();
    };
    const clean = onCrossbar();
    const most = clean.reduce((largest, w) => Math.max(largest, Math.abs(w)), 0);
    const saved = parameters.value.slice();
    const outputs = layer.kind === "conv" ? 6 : 8;
    const inputs = clean.length / outputs;
    const squares = new Float64Array(outputs);
    for (let key = 0; key < 400; key++) {
      disturbWeights(parameters, loops, { weightNoise: 0.03, weightNoiseShape: [1] }, [key, 1]);
      parameters.value.set(parameters.used);
      for (const [i, w] of onCrossbar().entries()) squares[Math.floor(i / inputs)]! += (w - clean[i]!) ** 2;
      parameters.value.set(saved);
    }
    for (const sum of squares) {
      // At least 3,600 draws a channel: 1.2 % each; five of those.
      expect(Math.abs(Math.sqrt(sum / (400 * inputs)) / (0.03 * most) - 1)).toBeLessThan(0.06);
    }
  });
});

describe("Clipping of weights", () => {
  it("leaves a layer that is within its limit as it is, and cuts one large weight to the limit", () => {
    const { parameters, loops } = networkOf([{ kind: "dense", outputs: 16 }]);
    const { value } = parameters.parameters[0]!;
    value.fill(0.1);
    clipWeights(parameters, loops, 2);
    expect(value.every((w) => w === Math.fround(0.1))).toBe(true);
    value[5] = -10;
    clipWeights(parameters, loops, 2);
    const rootMeanSquare = Math.sqrt((10 ** 2 + (value.length - 1) * 0.1 ** 2) / value.length);
    expect(value[5]).toBeCloseTo(-2 * rootMeanSquare, 5);
  });
});

describe("Converters in training", () => {
  it("round inputs to 2^bits − 1 levels of the running range, clip beyond it, and stop the gradient there", () => {
    const network = networkOf(
      [{ kind: "conv", channels: 8, kernel: [1, 1], bias: true }, { kind: "flatten" }, { kind: "dense", outputs: 1 }],
      { activationBits: 3 },
    );
    const { parameters, input } = network;
    const pass = { count: 1, training: false, random: new SequentialRandom(1) };
    const set = (name: string, fill: (i: number) => number) => {
      const { value, used } = parameters.parameters.find((p) => p.name === name)!;
      for (let i = 0; i < value.length; i++) value[i] = used[i] = fill(i);
    };
    set("0-conv.weights", (i) => (i % 9 === 0 ? 1 : 0)); // passes each channel on
    set("0-conv.bias", () => 0);
    set("2-dense.weights", (i) => i + 1);
    set("2-dense.bias", () => 0);
    parameters.statistics.find(({ name }) => name === "2-dense.input-max")!.running[0] = 3;
    input.fill(0);
    input.set([0.4, 0.6, 2.4, 5, -7]);
    // Seven levels −3 … 3: 0, 1, 2, 3, −3, weighted 1 … 5.
    expect(network.forward(pass)[0]).toBe(0 * 1 + 1 * 2 + 2 * 3 + 3 * 4 - 3 * 5);
    network.outputGradient[0] = 1;
    parameters.gradient.fill(0);
    network.backward(pass);
    // The bias of channel c takes the gradients of its 16 positions; the first of channels 3 and 4 is stopped.
    const bias = parameters.parameters.find(({ name }) => name === "0-conv.bias")!.gradient;
    const whole = (c: number) => Array.from({ length: 16 }, (_, p) => p * 8 + c + 1).reduce((a, b) => a + b, 0);
    expect([...bias]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((c) => whole(c) - (c === 3 || c === 4 ? c + 1 : 0)));
  });
});
