import { describe, expect, it } from "vitest";
import { driftCompensation } from "../../../models/crossbar/calibration.ts";
import { hasOracles, oracle } from "../../support/oracle.ts";

describe("driftCompensation", () => {
  const programmed = Float64Array.of(1, 2, 3);
  const present = Float64Array.of(0.5, 0.5, 2);
  it("is the ratio of the mean responses for all outputs, 6 / 3", () => {
    const alpha = new Float64Array(3);
    driftCompensation("global", programmed, present, 1e-4, alpha);
    expect([...alpha]).toEqual([2, 2, 2]);
  });
  it("is the ratio of each output's own responses per column", () => {
    const alpha = new Float64Array(3);
    driftCompensation("per-column", programmed, present, 1e-4, alpha);
    expect([...alpha]).toEqual([2, 4, 1.5]);
  });
  it("divides by no less than the floor, so that what never answered keeps α = 1", () => {
    const alpha = new Float64Array(2);
    driftCompensation("per-column", Float64Array.of(0, 1), Float64Array.of(0, 0), 0.5, alpha);
    expect([...alpha]).toEqual([1, 2]);
  });
  it.skipIf(!hasOracles)("is ((t + t₀)/t₀)^ν as in aihwkit within 1e-6 (skipped without the reference numbers)", () => {
    const { W, rows } = oracle<{ W: number[][]; rows: { nu: number; t_s: number; t0_s: number; alpha: number }[] }>(
      "drift_compensation_exact.json",
    );
    const response = W.map((row) => row.reduce((sum, w) => sum + Math.abs(w), 0) / row.length);
    for (const { nu, t_s, t0_s, alpha: expected } of rows) {
      const drifted = Float64Array.from(response, (r) => r * ((t_s + t0_s) / t0_s) ** -nu);
      const alpha = new Float64Array(response.length);
      driftCompensation("global", Float64Array.from(response), drifted, 1e-4, alpha);
      expect(Math.abs(alpha[0]! - expected)).toBeLessThan(1e-6);
    }
  });
});
