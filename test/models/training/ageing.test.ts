import { describe, expect, it } from "vitest";
import { meanNu, sigmaNu } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { driftWeights, stickWeights } from "../../../models/training/ageing.ts";
import type { Converters } from "../../../models/training/layer.ts";
import { TrainableNetwork } from "../../../models/training/trainable-network.ts";

const networkOf = (outputs: number, converters: Converters = {}) => {
  const layers = [
    { kind: "dense", outputs: 8 },
    { kind: "dense", outputs },
  ] as const;
  const network = new TrainableNetwork({ name: "t", input: [64], layers }, { batch: 16, noisy: true, converters });
  network.initialise(1);
  network.parameters.used.set(network.parameters.value);
  return network;
};

describe("Drift in training", () => {
  it("leaves a layer's Σ|w| as it was, and spreads equal weights by L σ_ν as the device does", () => {
    const { parameters, loops } = networkOf(4);
    const { value, used } = parameters.parameters[0]!;
    value.fill(0.3);
    value[0] = 0.6; // so that the others have r = 0.5
    const [ratios, seconds] = [[] as number[], 86400];
    for (let seed = 0; seed < 300; seed++) {
      used.set(value);
      driftWeights(parameters, loops, seconds, new SequentialRandom(seed));
      const sum = used.reduce((total, w) => total + Math.abs(w), 0);
      // Single precision of 512 sums.
      expect(sum / value.reduce((total, w) => total + Math.abs(w), 0)).toBeCloseTo(1, 5);
      const logs = [...used.subarray(1)].map((w) => Math.log(w));
      const mean = logs.reduce((total, l) => total + l, 0) / logs.length;
      const spread = Math.sqrt(logs.reduce((total, l) => total + (l - mean) ** 2, 0) / logs.length);
      const u = new SequentialRandom(seed).uniform();
      ratios.push(spread / (u * Math.log((seconds + 20) / 20) * sigmaNu(0.5)));
    }
    // σ_ν 0.008 stays far from 0.049, the mean: |ν| changes nothing. 511 weights × 300 know the spread to 0.2 %.
    expect(meanNu(0.5) / sigmaNu(0.5)).toBeGreaterThan(5);
    expect(Math.abs(ratios.reduce((a, b) => a + b, 0) / ratios.length - 1)).toBeLessThan(0.01);
  });

  it("changes nothing at age 0", () => {
    const { parameters, loops } = networkOf(4);
    driftWeights(parameters, loops, 0, new SequentialRandom(1));
    expect([...parameters.used].map((w) => Math.fround(w))).toEqual([...parameters.value]);
  });
});

describe("Stuck devices in training", () => {
  it("are 2 % of the weights where 2 % are asked for: half at 0, the rest at ± the largest", () => {
    const { parameters } = networkOf(4);
    const { value, used } = parameters.parameters[0]!;
    const most = value.reduce((largest, w) => Math.max(largest, Math.abs(w)), 0);
    const random = new SequentialRandom(2);
    let [zero, high, low, all] = [0, 0, 0, 0];
    for (let trial = 0; trial < 400; trial++) {
      used.set(value);
      stickWeights(parameters, 0.02, random);
      used.forEach((w, i) => {
        all++;
        if (w === value[i]) return;
        if (w === 0) zero++;
        else if (Math.abs(w - most) < 1e-6) high++;
        else if (Math.abs(w + most) < 1e-6) low++;
      });
    }
    // 4,096 stuck weights: counts of 2,048 and 1,024 have deviations of 32 and 28; two at one place are 1 % fewer.
    expect((zero + high + low) / all).toBeGreaterThan(0.0195);
    expect((zero + high + low) / all).toBeLessThan(0.0205);
    expect(Math.abs(zero / (0.01 * all) - 1)).toBeLessThan(0.08);
    expect(Math.abs(high / (0.005 * all) - 1)).toBeLessThan(0.15);
    expect(Math.abs(low / (0.005 * all) - 1)).toBeLessThan(0.15);
  });
});

describe("Dropout", () => {
  it("silences a part of the numbers and scales the rest by what is missing, the gradient alike; validation keeps all", () => {
    const layers = [{ kind: "dense", outputs: 500, bias: true } as const, { kind: "dropout", rate: 0.3 } as const];
    const network = new TrainableNetwork({ name: "d", input: [4], layers }, { batch: 8 });
    network.initialise(1);
    const bias = network.parameters.parameters.find(({ name }) => name === "0-dense.bias")!;
    bias.value.fill(2);
    network.input.fill(0);
    const pass = { count: 8, training: true, random: new SequentialRandom(5) };
    expect([...network.forward({ ...pass, training: false })].every((y) => y === 2)).toBe(true);
    const y = network.forward(pass).slice();
    const silent = [...y].filter((value) => value === 0).length;
    // 4,000 numbers: 1,200 with a deviation of 29.
    expect(Math.abs(silent - 1200)).toBeLessThan(150);
    expect(new Set(y)).toEqual(new Set([0, Math.fround(2 * Math.fround(1 / 0.7))]));
    network.outputGradient.fill(1);
    network.parameters.gradient.fill(0);
    network.backward(pass);
    // Of the bias of an output: a sum over the eight samples that kept it.
    for (let o = 0; o < 500; o++) {
      const kept = Array.from({ length: 8 }, (_, b) => y[b * 500 + o]!).filter((value) => value !== 0).length;
      expect(bias.gradient[o]).toBeCloseTo(kept / 0.7, 4);
    }
  });
});

describe("Converters in training", () => {
  const pass = { count: 16, training: true, random: new SequentialRandom(3) };

  it("have an ADC of 2^bits − 1 levels over 1.1 of the largest output", () => {
    const network = networkOf(64, { adcBits: 4 });
    network.parameters.statistics.find(({ name }) => name === "1-dense.output-max")!.running[0] = 2;
    for (let i = 0; i < network.input.length; i++) network.input[i] = pass.random.gaussian();
    const y = network.forward(pass);
    const step = (1.1 * 2) / 7;
    const levels = new Set([...y].map((value) => value / step));
    for (const level of levels) expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-5);
    expect(Math.max(...[...levels].map(Math.abs))).toBeLessThanOrEqual(7.00001);
  });

  it("add noise of so much of the largest output in training, Gaussian, and none in validation", () => {
    const network = networkOf(64, { outputNoise: 0.05 });
    network.parameters.statistics.find(({ name }) => name === "1-dense.output-max")!.running[0] = 2;
    for (let i = 0; i < network.input.length; i++) network.input[i] = pass.random.gaussian();
    const quiet = network.forward({ ...pass, training: false }).slice();
    expect([...network.forward({ ...pass, training: false })]).toEqual([...quiet]);
    const moved: number[] = [];
    for (let trial = 0; trial < 50; trial++) network.forward(pass).forEach((y, i) => void moved.push(y - quiet[i]!));
    const momentOf = (power: number) => moved.reduce((sum, m) => sum + (m / 0.1) ** power, 0) / moved.length;
    // 51,200 numbers know a deviation to 0.3 %; the fourth moment, three of a Gaussian, to 1.5 %.
    expect(Math.abs(momentOf(1))).toBeLessThan(0.02);
    expect(Math.abs(Math.sqrt(momentOf(2)) - 1)).toBeLessThan(0.015);
    expect(Math.abs(momentOf(4) / 3 - 1)).toBeLessThan(0.075);
  });

  it("learn a range by the gradient ∂x̂/∂θ: x̂ − x inside, the range where it clips", () => {
    const network = networkOf(1, { activationBits: 3, learnInputRange: true });
    const { parameters } = network;
    const set = (name: string, value: (i: number) => number) => {
      const array = parameters.parameters.find((p) => p.name === name)!.value;
      array.set(array.map((_, i) => value(i)));
    };
    // The first layer passes the first eight inputs; the second weighs them by 1.
    set("0-dense.weights", (i) => (i % 65 === 0 ? 1 : 0));
    set("1-dense.weights", () => 1);
    set("1-dense.input-log-scale", () => Math.log(0.75));
    parameters.used.set(parameters.value);
    parameters.statistics.find(({ name }) => name === "1-dense.input-max")!.running[0] = 4;
    network.input.fill(0);
    network.input.set([0.4, 0.6, 2.4, 5, -7]);
    parameters.gradient.fill(0);
    const one = { ...pass, count: 1 };
    // Range 3, seven levels: 0.4 → 0, 0.6 → 1, 2.4 → 2, 5 → 3, −7 → −3.
    expect(network.forward(one)[0]).toBeCloseTo(0 + 1 + 2 + 3 - 3, 5);
    network.outputGradient[0] = 1;
    network.backward(one);
    const gradient = parameters.parameters.find(({ name }) => name === "1-dense.input-log-scale")!.gradient[0];
    expect(gradient).toBeCloseTo(-0.4 + 0.4 - 0.4 + 3 - 3, 5);
  });
});
