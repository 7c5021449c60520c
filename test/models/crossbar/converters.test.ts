import { describe, expect, it } from "vitest";
import { codeOf, converter, levelOf } from "../../../models/crossbar/converters.ts";

describe("a converter with sign and magnitude", () => {
  const dac = converter("dac", 8, 2);
  it("has 255 levels at 8 bits, zero and both ends among them", () => {
    expect(dac.codeMax).toBe(127);
    const codes = new Set(Array.from({ length: 5001 }, (_, i) => codeOf(dac, -2.5 + i / 1000)));
    expect(codes.size).toBe(255);
    expect([codeOf(dac, 0), codeOf(dac, 2), codeOf(dac, -2)]).toEqual([0, 127, -127]);
  });
  it("errs by at most half a level inside its range and clips outside", () => {
    for (let x = -2; x <= 2; x += 0.001)
      expect(Math.abs(levelOf(dac, codeOf(dac, x)) - x)).toBeLessThanOrEqual(1 / 127 + 1e-12);
    expect(levelOf(dac, codeOf(dac, 99))).toBe(2);
    expect(levelOf(dac, codeOf(dac, -99))).toBe(-2);
  });
  it("rounds halves to even and gives 0 for NaN", () => {
    const unit = converter("adc", 8, 127); // one unit a code
    expect([0.5, 1.5, 2.5, -0.5, -1.5].map((x) => codeOf(unit, x) + 0)).toEqual([0, 2, 2, 0, -2]);
    expect(codeOf(unit, Number.NaN)).toBe(0);
  });
  it("says which bits and which full scale it expected", () => {
    expect(() => converter("dac", 0, 1)).toThrow("dacBits: expected an integer in 2 … 12, got 0");
    expect(() => converter("adc", 17, 1)).toThrow("adcBits: expected an integer in 2 … 16, got 17");
    expect(() => converter("dac", 8, 0)).toThrow("inputMax: expected a finite number > 0, got 0");
    expect(() => converter("adc", 8, Number.NaN)).toThrow("tileOutputMax: expected a finite number > 0, got NaN");
  });
});
