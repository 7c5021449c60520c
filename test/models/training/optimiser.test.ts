import { describe, expect, it } from "vitest";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { loopsSimd } from "../../../models/crossbar/kernels/loops-simd.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { AdamW, learningRateAt } from "../../../models/training/optimiser.ts";
import { Parameters } from "../../../models/training/parameters.ts";

const schedule = { learningRate: 0.1, weightDecay: 0, clipNorm: 0, steps: 110, warmupSteps: 10 };

describe("The learning rate", () => {
  it("rises evenly to its largest over the warm-up, then falls by half a cosine: half at the middle, to nothing", () => {
    for (let step = 0; step < 10; step++)
      expect(learningRateAt(step, schedule)).toBeCloseTo((0.1 * (step + 1)) / 10, 12);
    expect(learningRateAt(10, schedule)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(60, schedule)).toBeCloseTo(0.05, 12);
    // cos 120° = −1/2 at two thirds of the way down.
    expect(learningRateAt(10 + 200 / 3, schedule)).toBeCloseTo(0.025, 12);
    expect(learningRateAt(109, schedule)).toBeLessThan(0.1 * 0.001);
    for (let step = 10; step < 109; step++) {
      expect(learningRateAt(step + 1, schedule)).toBeLessThan(learningRateAt(step, schedule));
    }
  });
});

/** Weights that decay and a bias that does not, both in one block. */
const adamOver = (options: typeof schedule) => {
  const arena = new Arena(65536);
  const parameters = new Parameters();
  parameters.declare("weights", 5, { outputs: 5, order: "outputs first" });
  parameters.declare("bias", 3);
  parameters.allocate(arena, false);
  const [first, second, gradient] = Array.from({ length: 3 }, () => arena.float32(parameters.length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const adam = new AdamW(parameters, { first, second }, loopsSimd(arena), options);
  const random = new SequentialRandom(4);
  for (const { value } of parameters.parameters) value.set(Array.from(value, () => random.gaussian()));
  return { adam, parameters, gradient, random };
};

describe("AdamW", () => {
  it.each([0, 0.5])(
    "is that of Loshchilov and Hutter in double precision over 30 steps, gradients no longer than %s",
    (clipNorm) => {
      const options = { learningRate: 0.05, weightDecay: 0.1, clipNorm, steps: 30, warmupSteps: 5 };
      const { adam, parameters, gradient, random } = adamOver(options);
      const base = parameters.value.byteOffset;
      const expected = parameters.parameters.map(({ value, role }) => ({
        ...{ at: (value.byteOffset - base) / 4, decays: role === "weight", value },
        ...{ w: Array.from(value), m: Array.from(value, () => 0), v: Array.from(value, () => 0) },
      }));
      expect(expected.map(({ decays }) => decays)).toEqual([true, false]);
      for (let step = 0; step < 30; step++) {
        gradient.fill(0);
        for (const { at, w } of expected)
          gradient.set(
            w.map(() => random.gaussian()),
            at,
          );
        const long = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
        const scale = clipNorm > 0 && long > clipNorm ? clipNorm / long : 1;
        const given = gradient.slice();
        expect(adam.step(gradient, step)).toBeCloseTo(long, 4);
        const rate = learningRateAt(step, options);
        for (const { at, w, m, v, decays } of expected) {
          for (let i = 0; i < w.length; i++) {
            const g = scale * given[at + i]!;
            m[i] = 0.9 * m[i]! + 0.1 * g;
            v[i] = 0.999 * v[i]! + 0.001 * g * g;
            const [mean, square] = [m[i]! / (1 - 0.9 ** (step + 1)), v[i]! / (1 - 0.999 ** (step + 1))];
            w[i] = w[i]! - (rate * mean) / (Math.sqrt(square) + 1e-8) - (decays ? rate * 0.1 * w[i]! : 0);
          }
        }
      }
      for (const { value, w } of expected)
        for (const [i, is] of value.entries()) expect(Math.abs(is - w[i]!)).toBeLessThan(1e-5);
    },
  );

  it("refuses a gradient that is no number", () => {
    const { adam, gradient } = adamOver(schedule);
    gradient[1] = Number.NaN;
    expect(() => adam.step(gradient, 7)).toThrow("gradient: expected finite numbers in step 7");
  });
});
