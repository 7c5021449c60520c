import { describe, expect, it } from "vitest";
import { BiquadCascade, butterworth, magnitudeAt } from "../../../pipelines/dsp/biquad.ts";
import { noise } from "../blocks.ts";

const impulse = Float32Array.of(1, 0, 0, 0, 0, 0);

describe("butterworth", () => {
  it("gives the impulse responses of scipy.signal.butter (1.17), to Float32 precision", () => {
    const low = butterworth({ kind: "lowpass", order: 3, cutoffHz: 40, sampleRateHz: 360 });
    const high = butterworth({ kind: "highpass", order: 4, cutoffHz: 0.5, sampleRateHz: 360 });
    const expectedLow = [0.0236228384, 0.109273505, 0.223617145, 0.277629393, 0.241785839, 0.153954816];
    const expectedHigh = [0.988662801, -0.0225452594, -0.0222878451, -0.0220321559, -0.0217781859, -0.0215259294];
    for (const [i, y] of new BiquadCascade(low, 1).run(impulse).entries()) expect(y).toBeCloseTo(expectedLow[i]!, 6);
    for (const [i, y] of new BiquadCascade(high, 1).run(impulse).entries()) expect(y).toBeCloseTo(expectedHigh[i]!, 6);
  });

  for (const kind of ["lowpass", "highpass"] as const) {
    for (const order of [1, 2, 3, 4, 7]) {
      it(`of order ${order} has the ${kind} gain 1 / √(1 + (tan ratio)^±2N) within 1e-9`, () => {
        const spec = { kind, order, cutoffHz: 40, sampleRateHz: 360 };
        for (const hz of [1, 10, 40, 41, 100, 170]) {
          const ratio = Math.tan((Math.PI * hz) / 360) / Math.tan((Math.PI * 40) / 360);
          const expected = 1 / Math.sqrt(1 + ratio ** (kind === "lowpass" ? 2 * order : -2 * order));
          expect(Math.abs(magnitudeAt(butterworth(spec), hz, 360) - expected)).toBeLessThan(1e-9);
        }
      });
    }
  }

  it("refuses an order of 0 and a cut-off beyond half the rate", () => {
    const spec = { kind: "lowpass", order: 2, cutoffHz: 40, sampleRateHz: 360 } as const;
    expect(() => butterworth({ ...spec, order: 0 })).toThrow("order: expected an integer in 1 … 12, got 0");
    expect(() => butterworth({ ...spec, cutoffHz: 180 })).toThrow(
      "cutoffHz: expected a frequency between 0 and 180 Hz",
    );
  });
});

describe("BiquadCascade", () => {
  const sections = butterworth({ kind: "highpass", order: 2, cutoffHz: 0.5, sampleRateHz: 360 });

  it("gives the same however the signal is cut", () => {
    const signal = noise(100);
    const whole = new BiquadCascade(sections, 1).run(signal);
    const cascade = new BiquadCascade(sections, 1);
    const parts = [...cascade.run(signal.slice(0, 7)), ...cascade.run(signal.slice(7))];
    expect(parts).toEqual([...whole]);
  });

  it("filters interleaved channels each on its own", () => {
    const [a, b] = [noise(50, 1), noise(50, 2)];
    const both = Float32Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? a : b)[i >> 1]!);
    const out = new BiquadCascade(sections, 2).run(both);
    expect(out.filter((_, i) => i % 2 === 1)).toEqual(new BiquadCascade(sections, 1).run(b));
  });

  it("settled on a constant, makes no transient of it", () => {
    const cascade = new BiquadCascade(sections, 1);
    cascade.settle([5]);
    for (const y of cascade.run(new Float32Array(20).fill(5))) expect(Math.abs(y)).toBeLessThan(1e-9);
  });
});
