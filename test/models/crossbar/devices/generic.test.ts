import { describe, expect, it } from "vitest";
import { emptyCells } from "../../../../models/crossbar/devices/device.ts";
import { genericDevice } from "../../../../models/crossbar/devices/generic.ts";
import { deviates } from "../../../support/deviates.ts";

const parameters = {
  gMinSiemens: 1e-6,
  gMaxSiemens: 1e-5,
  programmingSigma: 0.03,
  nu: 0.05,
  nuSigma: 0,
  t0Seconds: 10,
  readSigma: 0.02,
};

describe("a generic device", () => {
  it("has the spreads and the drift that it was given", () => {
    const device = genericDevice(parameters);
    const count = 100_000;
    const cells = emptyCells(count);
    device.program(new Float32Array(count).fill(5e-6), deviates(count, 1), cells);
    const mean = cells.g0Siemens.reduce((sum, g) => sum + g, 0) / count;
    const sigma = Math.sqrt(cells.g0Siemens.reduce((sum, g) => sum + (g - mean) ** 2, 0) / count);
    // Five standard errors of a mean and of a spread: 5 / √100,000 and that / √2.
    expect(Math.abs(mean / 3e-7 - 5e-6 / 3e-7)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(sigma / 3e-7 - 1)).toBeLessThan(5 / Math.sqrt(2 * count));
    const [g, v] = [new Float32Array(count), new Float32Array(count)];
    device.conductances(cells, 990, g); // (t + t₀) / t₀ = 100
    device.readVariances(cells, 990, v);
    expect(g[7]! / cells.g0Siemens[7]!).toBeCloseTo(100 ** -0.05, 6);
    expect(Math.sqrt(v[7]!) / g[7]!).toBeCloseTo(0.02, 6);
  });

  it.each([
    ["gMaxSiemens", 1e-7, "gMaxSiemens: expected more than gMinSiemens = 0.000001, got 1e-7"],
    ["nu", -0.1, "nu: expected a number ≥ 0, got -0.1"],
    ["programmingSigma", Number.NaN, "programmingSigma: expected a number ≥ 0, got NaN"],
    ["t0Seconds", 0, "t0Seconds: expected a number > 0, got 0"],
  ])("refuses a %s of %f", (key, value, sentence) => {
    expect(() => genericDevice({ ...parameters, [key]: value })).toThrow(sentence);
  });
});
