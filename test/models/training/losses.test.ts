import { describe, expect, it } from "vitest";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { loopsSimd } from "../../../models/crossbar/kernels/loops-simd.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { crossEntropy } from "../../../models/training/losses.ts";
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
