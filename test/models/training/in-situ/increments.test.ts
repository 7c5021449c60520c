import { describe, expect, it } from "vitest";
import { SequentialRandom } from "../../../../models/random.ts";
import { Increments } from "../../../../models/training/in-situ/increments.ts";
import { PulseTrains } from "../../../../models/training/in-situ/pulse-trains.ts";

describe("Increments", () => {
  it("of pulse trains are −rate · δ x on average, in whole steps", () => {
    const [outputs, inputs, step, rate, rounds] = [2, 3, 1 / 16, 0.02, 20_000];
    const [x, delta] = [Float32Array.of(1, -0.5, 0), Float32Array.of(0.8, -0.3)];
    const increments = new Increments(outputs, inputs, step);
    const trains = new PulseTrains(inputs, new SequentialRandom(1));
    const [zero, wide] = [new Float32Array(6), new Float32Array(6).fill(1e9)];
    let weights: Float32Array = zero;
    for (let n = 0; n < rounds; n++) {
      trains.update(increments, x, delta, rate);
      weights = increments.applyTo(
        weights,
        wide.map((w) => -w),
        wide,
      );
    }
    weights.forEach((w, i) => {
      const mean = -rate * delta[Math.floor(i / inputs)]! * x[i % inputs]!;
      // Coincidences are rare: the deviation of their number is its root.
      const sigma = Math.sqrt(Math.abs(mean) * step * rounds);
      expect(Math.abs(w - mean * rounds)).toBeLessThanOrEqual(4 * sigma + 1e-3);
      expect(w / step).toBe(Math.round(w / step));
    });
  });
  it("are kept within bounds, and counted once", () => {
    const increments = new Increments(1, 2, 0.5);
    increments.pulse(0, 10);
    increments.pulse(1, -1);
    const [low, high] = [Float32Array.of(-1, -1), Float32Array.of(1, 1)];
    const next = increments.applyTo(Float32Array.of(0, 0), low, high);
    expect(next).toEqual(Float32Array.of(1, -0.5));
    expect(increments.applyTo(next, low, high)).toEqual(next);
    expect(() => new Increments(1, 1, 0)).toThrow("step: expected a number > 0, got 0");
  });
});
