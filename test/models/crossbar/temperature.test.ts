import { describe, expect, it } from "vitest";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { atTemperature, secondsAtReference } from "../../../models/crossbar/temperature.ts";

const boltzmann = 8.617333262e-5;

describe("Temperature", () => {
  it("runs the clock of relaxation by Arrhenius' law: from rates at two temperatures its energy comes back", () => {
    const [cool, warm] = [40, 80].map((celsius) => secondsAtReference(pcmNandakumar2019, 1, celsius));
    const energy = (boltzmann * Math.log(warm! / cool!)) / (1 / 313.15 - 1 / 353.15);
    expect(energy).toBeCloseTo(0.9, 9);
    expect(secondsAtReference(pcmNandakumar2019, 1, 0)).toBeLessThan(0.05);
  });
  it("changes nothing at 25 °C, and nothing for a device without a model", () => {
    expect(secondsAtReference(pcmNandakumar2019, 123.4, 25)).toBe(123.4);
    expect(secondsAtReference(ideal, 123.4, 85)).toBe(123.4);
    const values = Float32Array.of(1e-6, 2e-5);
    atTemperature(pcmNandakumar2019, values, 25, 1, values);
    atTemperature(ideal, values, 85, 1, values);
    expect(values).toEqual(Float32Array.of(1e-6, 2e-5));
  });
  it("makes amorphous devices conduct better in the heat, crystalline ones hardly, and noise in proportion", () => {
    const g0 = Float32Array.of(0, 12.5e-6, 25e-6);
    const factor = (celsius: number, power: 1 | 2) => {
      const values = Float32Array.of(1, 1, 1);
      atTemperature(pcmNandakumar2019, g0, celsius, power, values);
      return values;
    };
    const coldness = 1 / (boltzmann * 298.15) - 1 / (boltzmann * 333.15);
    for (const [d, energy] of [0.2, 0.11, 0.02].entries()) {
      expect(factor(60, 1)[d]).toBeCloseTo(Math.exp(energy * coldness), 5);
      expect(factor(60, 2)[d]).toBeCloseTo(factor(60, 1)[d]! ** 2, 4);
    }
  });
  it("is refused beyond what electronics know", () => {
    expect(() => secondsAtReference(ideal, 1, 300)).toThrow("celsius: expected −55 … 150, got 300");
    expect(() => secondsAtReference(ideal, 1, Number.NaN)).toThrow("celsius: expected −55 … 150, got NaN");
  });
});
