import { describe, expect, it } from "vitest";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { loopsSimd } from "../../../models/crossbar/kernels/loops-simd.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { crossEntropy, meanSquare, nextSteps } from "../../../models/training/losses.ts";
import { betaOf, mixSamples } from "../../../models/training/mixup.ts";
import { learningRateAt, MomentumSgd } from "../../../models/training/optimiser.ts";
import { Parameters } from "../../../models/training/parameters.ts";

const [count, classes] = [5, 4];

describe("crossEntropy", () => {
  it("has the gradient of finite differences with smoothing, class weights, a mixture and a teacher, within 1e-4", () => {
    const random = new SequentialRandom(1);
    const logits = Float32Array.from({ length: count * classes }, () => 2 * random.gaussian());
    const given = Float32Array.from({ length: count * classes }, () => random.uniform());
    const probabilities = given.map((p, i) => {
      const from = Math.floor(i / classes) * classes;
      return p / given.subarray(from, from + classes).reduce((a, b) => a + b, 0);
    });
    const labels = Int32Array.from({ length: count }, () => random.integer(classes));
    const others = Int32Array.from({ length: count }, () => random.integer(classes));
    const options = {
      ...{ count, classes, smoothing: 0.1, classWeights: [1, 2, 0.5, 1], scale: 1 },
      mixture: { labels: others, part: 0.3 },
      lesson: { probabilities, weight: 0.4, temperature: 3 },
    };
    const gradient = new Float32Array(count * classes);
    crossEntropy(logits, labels, gradient, options);
    const lossAt = (i: number, z: number): { loss: number; z: number } => {
      const moved = logits.slice();
      moved[i] = z;
      return { loss: crossEntropy(moved, labels, new Float32Array(count * classes), options).loss, z: moved[i]! };
    };
    for (let i = 0; i < gradient.length; i++) {
      // Logits are Float32, the loss is summed in double precision: the step is what Float32 made of it.
      const [above, below] = [lossAt(i, logits[i]! + 0.01), lossAt(i, logits[i]! - 0.01)];
      const slope = (above.loss - below.loss) / (above.z - below.z);
      // The third derivative of these losses is below 1: an error of 0.01² / 6.
      expect(Math.abs(gradient[i]! - slope)).toBeLessThan(1e-4);
    }
  });

  it("is smallest where the student says what the teacher says: its gradient is then 0", () => {
    const probabilities = Float32Array.of(0.7, 0.2, 0.05, 0.05);
    const gradient = new Float32Array(classes);
    const lesson = { probabilities, weight: 1, temperature: 2 };
    const options = { count: 1, classes, smoothing: 0, classWeights: undefined, scale: 1, lesson };
    const { loss } = crossEntropy(probabilities.map(Math.log), [3], gradient, options);
    expect(Math.abs(loss)).toBeLessThan(1e-6);
    for (const value of gradient) expect(Math.abs(value)).toBeLessThan(1e-6);
  });
});

describe("Label smoothing", () => {
  it("asks for 1 − s + s/K of the label and s/K of each other class: there the gradient is 0, and the loss their entropy", () => {
    const [smoothing, label] = [0.2, 2];
    const target = Array.from({ length: classes }, (_, c) => (c === label ? 1 - smoothing : 0) + smoothing / classes);
    const gradient = new Float32Array(classes);
    const options = { count: 1, classes, smoothing, classWeights: undefined, scale: 1 };
    const { loss, correct } = crossEntropy(Float32Array.from(target, Math.log), [label], gradient, options);
    for (const value of gradient) expect(Math.abs(value)).toBeLessThan(1e-6);
    expect(loss).toBeCloseTo(
      target.reduce((sum, p) => sum - p * Math.log(p), 0),
      6,
    );
    expect(correct).toBe(1);
  });
});

describe("meanSquare", () => {
  it("has the gradient of finite differences, and that of next-step is 0 at the last step, which has no next", () => {
    const random = new SequentialRandom(6);
    const sizes = { count: 2, steps: 4, channels: 3 };
    const features = sizes.steps * sizes.channels;
    const x = Float32Array.from({ length: 2 * features }, () => random.gaussian());
    const y = Float32Array.from({ length: 2 * features }, () => random.gaussian());
    const target = x.slice();
    nextSteps(target, y, sizes);
    for (let b = 0; b < 2; b++) {
      const ahead = x.slice(b * features + 3, (b + 1) * features);
      expect([...target.subarray(b * features, (b + 1) * features - 3)]).toEqual([...ahead]);
    }
    const gradient = new Float32Array(y.length);
    const { loss } = meanSquare(y, target, gradient, { count: 2, features, scale: 0.5 });
    const direct = [...y].reduce((sum, value, i) => sum + (value - target[i]!) ** 2, 0) / features;
    expect(loss).toBeCloseTo(direct, 5);
    for (const [i, value] of y.entries()) {
      // Of a square the central difference is exact: what is left is the rounding of the sum.
      const slope = ((value + 0.1 - target[i]!) ** 2 - (value - 0.1 - target[i]!) ** 2) / 0.2 / features;
      expect(Math.abs(gradient[i]! - 0.5 * slope)).toBeLessThan(1e-6);
      if (i % features >= features - 3) expect(gradient[i]).toBe(0);
    }
  });
});

describe("mixup", () => {
  it("draws Beta(α, α): mean 1/2, variance 1 / (4 (2α + 1))", () => {
    const random = new SequentialRandom(2);
    for (const alpha of [0.2, 1]) {
      const drawn = Array.from({ length: 20_000 }, () => betaOf(alpha, random));
      const mean = drawn.reduce((sum, p) => sum + p, 0) / drawn.length;
      const variance = drawn.reduce((sum, p) => sum + (p - mean) ** 2, 0) / drawn.length;
      // 20,000 draws of a deviation ≤ 0.5 know the mean to 0.0035, the variance to 1 %.
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.015);
      expect(Math.abs(variance * 4 * (2 * alpha + 1) - 1)).toBeLessThan(0.04);
    }
  });

  it("mixes each sample with the next, the last with the first as it was", () => {
    const x = Float32Array.of(0, 10, 4, 20, 8, 30);
    const others = new Int32Array(3);
    mixSamples(x, Int32Array.of(5, 6, 7), others, { count: 3, part: 0.25, held: new Float32Array(2) });
    expect([...x]).toEqual([1, 12.5, 5, 22.5, 6, 25]);
    expect([...others]).toEqual([6, 7, 5]);
  });
});

describe("MomentumSgd", () => {
  it("follows v ← μ v + g, w ← w − rate (v + decay w) over 20 steps, within single precision", () => {
    const arena = new Arena(65536);
    const parameters = new Parameters();
    parameters.declare("w", 3, { outputs: 3, order: "outputs first" });
    parameters.allocate(arena, false);
    parameters.value.set([1, -2, 0.5]);
    const [velocity, gradient] = [arena.float32(parameters.length), arena.float32(parameters.length)];
    const options = { learningRate: 0.1, weightDecay: 0.02, clipNorm: 0, steps: 20, warmupSteps: 3, momentum: 0.8 };
    const sgd = new MomentumSgd(parameters, velocity, loopsSimd(arena), options);
    const [w, v] = [
      [1, -2, 0.5],
      [0, 0, 0],
    ];
    for (let step = 0; step < 20; step++) {
      for (let i = 0; i < 3; i++) gradient[i] = 2 * parameters.value[i]!; // of w²
      sgd.step(gradient, step);
      const rate = learningRateAt(step, options);
      for (let i = 0; i < 3; i++) {
        v[i] = 0.8 * v[i]! + 2 * w[i]!;
        w[i] = w[i]! - rate * (v[i]! + 0.02 * w[i]!);
      }
    }
    for (let i = 0; i < 3; i++) expect(Math.abs(parameters.value[i]! - w[i]!)).toBeLessThan(1e-5);
  });
});
