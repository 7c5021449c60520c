import { describe, expect, it } from "vitest";
import { SequentialRandom } from "../../../../models/random.ts";
import { Perceptron } from "../../../../models/training/in-situ/perceptron.ts";
import { PulseTrains } from "../../../../models/training/in-situ/pulse-trains.ts";
import { PulsedArray, type SoftBounds } from "../../../../models/training/in-situ/soft-bounds.ts";
import {
  floatMatrix,
  pulsedMatrix,
  type TrainedMatrix,
  tikiTakaMatrix,
} from "../../../../models/training/in-situ/trained-matrix.ts";

const even: SoftBounds = {
  ...{ step: 0.01, stepSpread: 0, cycleNoise: 0, bound: 0.6, boundSpread: 0, asymmetry: 0, asymmetrySpread: 0 },
};
const real: SoftBounds = { ...even, step: 0.004, stepSpread: 0.3, cycleNoise: 0.3, boundSpread: 0.3, asymmetry: 0.1 };

describe("Devices with soft bounds", () => {
  it("approach their bound as w = b (1 − (1 − s/b)ⁿ) under n pulses", () => {
    const array = new PulsedArray(1, 1, even, new SequentialRandom(1));
    array.pulse(0, 40);
    expect(array.weights[0]).toBeCloseTo(0.6 * (1 - (1 - 0.01 / 0.6) ** 40), 6);
    array.pulse(0, -10_000);
    expect(array.weights[0]).toBeCloseTo(-0.6, 5);
  });

  it("are driven to their symmetric point by pulses up and down in turn: 0.1 of asymmetry moves it to 0.1 of the bound", () => {
    const array = new PulsedArray(1, 1, { ...even, asymmetry: 0.1 }, new SequentialRandom(1));
    expect(array.symmetricPoint(0)).toBeCloseTo(0.06, 6);
    array.driveToSymmetry(2000);
    // Each pair ends on a step down: half a step below, on average.
    expect(Math.abs(array.weights[0]! - 0.06)).toBeLessThan(0.01);
  });

  it("differ by the spreads asked for: 30 % of the step from device to device", () => {
    const array = new PulsedArray(1, 4000, { ...even, stepSpread: 0.3 }, new SequentialRandom(2));
    for (let i = 0; i < 4000; i++) array.pulse(i, 1);
    const mean = array.weights.reduce((sum, w) => sum + w, 0) / 4000;
    const spread = Math.sqrt(array.weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / 4000);
    // 4,000 devices know mean and spread to 0.5 % and 1.1 %.
    expect(Math.abs(mean / 0.01 - 1)).toBeLessThan(0.02);
    expect(Math.abs(spread / 0.003 - 1)).toBeLessThan(0.05);
  });

  it("are programmed within half a step of a target inside their bounds", () => {
    const array = new PulsedArray(1, 3, even, new SequentialRandom(3));
    array.program([0.3, -0.25, 0.001]);
    for (const [i, target] of [0.3, -0.25, 0.001].entries()) {
      expect(Math.abs(array.weights[i]! - target)).toBeLessThanOrEqual(0.005 + 1e-7);
    }
  });

  it("say which number is wrong", () => {
    expect(() => new PulsedArray(1, 1, { ...even, step: 0 }, new SequentialRandom(1))).toThrow(
      "step: expected a number > 0, got 0",
    );
  });
});

describe("Stochastic pulse trains", () => {
  it("change weights by −rate · δ xᵀ on average, within 5 standard errors", () => {
    const [x, delta] = [Float32Array.of(0.9, -0.4, 0, 0.1), Float32Array.of(0.5, -0.2)];
    const [rate, trials] = [0.1, 20_000];
    const random = new SequentialRandom(4);
    const array = new PulsedArray(2, 4, { ...even, bound: 1e6 }, random); // as good as linear
    const trains = new PulseTrains(4, random);
    for (let n = 0; n < trials; n++) trains.update(array, x, delta, rate);
    for (let o = 0; o < 2; o++) {
      for (let i = 0; i < 4; i++) {
        const wanted = -rate * delta[o]! * x[i]!;
        // Coincidences are at most as scattered as Poisson counts of this mean.
        const error = 0.01 * Math.sqrt(Math.abs(wanted) / 0.01 / trials);
        expect(Math.abs(array.weights[o * 4 + i]! / trials - wanted)).toBeLessThanOrEqual(5 * error + 1e-12);
      }
    }
  });
});

/** How much of a wanted matrix is learned from noisy errors: the slope of W on it, and the correlation. */
const learned = (make: (random: SequentialRandom) => TrainedMatrix, seed: number) => {
  const random = new SequentialRandom(seed);
  const wanted = Float32Array.from({ length: 80 }, () => 0.6 * random.uniform() - 0.3);
  const matrix = make(random);
  const [x, y, delta] = [new Float32Array(10), new Float32Array(8), new Float32Array(8)];
  for (let n = 0; n < 12_000; n++) {
    for (let i = 0; i < 10; i++) x[i] = random.gaussian();
    matrix.multiply(x, y);
    for (let o = 0; o < 8; o++) {
      let target = 0;
      for (let i = 0; i < 10; i++) target += wanted[o * 10 + i]! * x[i]!;
      delta[o] = y[o]! - target + random.gaussian();
    }
    matrix.update(x, delta, 0.01);
  }
  let [both, ofWanted, ofFound] = [0, 0, 0];
  for (let i = 0; i < 10; i++) {
    x.fill(0);
    x[i] = 1;
    matrix.multiply(x, y);
    for (let o = 0; o < 8; o++) {
      both += y[o]! * wanted[o * 10 + i]!;
      ofWanted += wanted[o * 10 + i]! ** 2;
      ofFound += y[o]! ** 2;
    }
  }
  return { slope: both / ofWanted, correlation: both / Math.sqrt(ofWanted * ofFound) };
};

describe("Training in place", () => {
  const zeros = new Float32Array(80);
  const options = { transferEvery: 1, transferRate: 0.1, shiftPairs: 500 };

  it("under noise loses a good part of the weights to asymmetry with plain pulses, and keeps them with Tiki-Taka", () => {
    const mean = (make: (random: SequentialRandom) => TrainedMatrix): number =>
      [1, 2, 3].reduce((sum, seed) => sum + learned(make, seed).slope / 3, 0);
    const float = mean(() => floatMatrix(zeros, 8, 10));
    const plain = mean((random) => pulsedMatrix(zeros, 8, 10, real, random));
    const taka = mean((random) => tikiTakaMatrix(zeros, 8, 10, real, options, random));
    // Noise of the last steps, σ ≈ √(rate / 2) = 0.07 on 240 weights of 0.17, knows a slope to 0.03.
    expect(Math.abs(float - 1)).toBeLessThan(0.1);
    // Plain pulses, up and down in turn by the noise, pull towards the symmetric points: 0.46 is left here.
    expect(plain).toBeLessThan(0.6);
    // 0.86: one device in twenty has a bound below the largest weight wanted.
    expect(taka).toBeGreaterThan(0.75);
  });

  it("by a perceptron with a hidden layer of floats learns what no single layer can: exclusive or, 100 %", () => {
    const random = new SequentialRandom(5);
    const initial = (n: number) => Float32Array.from({ length: n }, () => random.gaussian());
    const net = new Perceptron([floatMatrix(initial(16), 8, 2), floatMatrix(initial(16), 2, 8)]);
    const cases = [0, 1, 2, 3].map((k) => ({ x: Float32Array.of(k & 1, k >> 1), label: (k & 1) ^ (k >> 1) }));
    for (let n = 0; n < 4000; n++) net.learn(cases[n % 4]!.x, cases[n % 4]!.label, 0.1);
    for (const { x, label } of cases) expect(net.infer(x)[label]).toBeGreaterThan(net.infer(x)[1 - label]!);
  });

  it("refuses matrices that do not fit each other", () => {
    expect(() => new Perceptron([floatMatrix(zeros, 8, 10), floatMatrix(zeros, 8, 10)])).toThrow(
      "matrices[1]: expected 8 inputs, got 10",
    );
  });
});
