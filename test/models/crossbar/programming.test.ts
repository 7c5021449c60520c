import { describe, expect, it } from "vitest";
import { emptyCells } from "../../../models/crossbar/devices/device.ts";
import { genericDevice } from "../../../models/crossbar/devices/generic.ts";
import { pcmNandakumar2019, programmingSigmaSiemens } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { unwrittenCells, type WriteVerify, writeDevices } from "../../../models/crossbar/programming.ts";
import { deviates } from "../../support/deviates.ts";

const key = { seed: 4, arrayId: 1, index: 2 };
const spread = 0.04 * 25e-6;
const device = genericDevice({
  ...{ gMinSiemens: 0, gMaxSiemens: 25e-6, programmingSigma: 0.04, nu: 0, nuSigma: 0, t0Seconds: 1, readSigma: 0 },
});
const count = 40_000;

const write = (verify?: WriteVerify, held: ReadonlyMap<number, number> = new Map(), of = device) => {
  const targetsSiemens = new Float32Array(count).fill(12e-6);
  const cells = unwrittenCells(count);
  const which = Uint32Array.from(targetsSiemens, (_, d) => d);
  const result = writeDevices(which, 7, { device: of, cells, targetsSiemens, key, heldSiemens: held }, verify);
  return { cells, result, targetsSiemens, which };
};

/** Of the normal distribution cut at ± a standard deviations: what is inside, and its standard deviation. */
const cutAt = (a: number) => {
  const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  let inside = 0;
  const steps = 100_000;
  for (let s = 0; s < steps; s++) inside += (density(-a + ((s + 0.5) * 2 * a) / steps) * 2 * a) / steps;
  return { inside, deviation: Math.sqrt(1 - (2 * a * density(a)) / inside) };
};

describe("Write and verify", () => {
  for (const a of [0.5, 1, 2]) {
    it(`leaves the spread cut at ±${a} σ, and takes as many pulses as that has probability, to five standard errors`, () => {
      const { inside, deviation } = cutAt(a);
      const { cells, result } = write({ acceptanceSiemens: a * spread, maxPulses: 1000 });
      const errors = cells.g0Siemens.map((g) => (g - 12e-6) / spread);
      const measured = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / count);
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(a * 1.0001);
      expect(Math.abs(measured / deviation - 1)).toBeLessThan(5 / Math.sqrt(2 * count));
      // Pulses of a device are geometric: mean 1 / p, variance (1 − p) / p².
      const error = Math.sqrt((1 - inside) / inside ** 2 / count);
      expect(Math.abs(result.pulses / count - 1 / inside)).toBeLessThan(5 * error);
      expect(result.outside).toBe(0);
    });
  }
  it("gives up after the most pulses: (1 − p)ⁿ of the devices are outside", () => {
    const { inside } = cutAt(0.5);
    const { result, cells } = write({ acceptanceSiemens: 0.5 * spread, maxPulses: 3 });
    const expected = (1 - inside) ** 3;
    expect(Math.abs(result.outside / count - expected)).toBeLessThan(
      5 * Math.sqrt((expected * (1 - expected)) / count),
    );
    expect(Math.max(...cells.writes)).toBe(3);
    expect(new Set(cells.writtenAtSeconds)).toEqual(new Set([7]));
  });
  it("counts pulses, reads, time and energy", () => {
    const pulse = { pulseSeconds: 2e-6, pulseJoules: 3e-11, readSeconds: 1e-6, readVolts: 0.5 };
    const { result } = write({ acceptanceSiemens: 1, maxPulses: 5 }, new Map(), { ...device, pulse });
    expect(result).toMatchObject({ devices: count, pulses: count });
    expect(result.seconds).toBeCloseTo(count * 3e-6, 9);
    expect(result.joules / (count * (3e-11 + 12e-6 * 0.25 * 1e-6)) - 1).toBeCloseTo(0, 3);
    const { seconds, joules } = write(undefined, new Map(), { ...device, pulse }).result;
    expect([seconds, joules / count]).toEqual([expect.closeTo(count * 2e-6, 9), expect.closeTo(3e-11, 15)]);
  });
  it("never accepts a device that is stuck away from its target, and loses no more than its pulses on it", () => {
    const { result } = write({ acceptanceSiemens: spread, maxPulses: 50 }, new Map([[5, 0]]));
    expect(result.outside).toBe(1);
  });
  it("reads through the noise of the devices: what is left has the variance of Bayes' rule, within 5 %", () => {
    const band = 0.3e-6;
    const { cells } = write({ acceptanceSiemens: band, maxPulses: 1000 }, new Map(), pcmNandakumar2019);
    const meanSquare = cells.g0Siemens.reduce((sum, g) => sum + (g - 12e-6) ** 2, 0) / count;
    const cell = emptyCells(1);
    const noise = new Float32Array(1);
    pcmNandakumar2019.program(Float32Array.of(12e-6), new Float64Array(2), cell);
    pcmNandakumar2019.readVariances(cell, 0, noise);
    // Of Gaussian g and reading g + n: g given the reading has variance τ² about k times the reading.
    const [written, read] = [programmingSigmaSiemens(12 / 25) ** 2, noise[0]!];
    const k = written / (written + read);
    const readings = (written + read) * cutAt(band / Math.sqrt(written + read)).deviation ** 2;
    expect(Math.abs(meanSquare / (k * read + k * k * readings) - 1)).toBeLessThan(0.05);
  });
  it("is the published spread of one pulse without verification, of the numbers that a tile has always drawn", () => {
    const { cells, targetsSiemens } = write(undefined, new Map(), pcmNandakumar2019);
    const once = emptyCells(count);
    pcmNandakumar2019.program(targetsSiemens, deviates(count, key.seed, [1, 2, 0]), once);
    expect(cells.g0Siemens).toEqual(once.g0Siemens);
  });
  it("draws the numbers of a pulse whatever devices are written beside", () => {
    const { cells, targetsSiemens, which } = write();
    const some = unwrittenCells(count);
    const write2 = { device, cells: some, targetsSiemens, key, heldSiemens: new Map<number, number>() };
    for (const group of [which.slice(100, 200), which.slice(0, 100)]) writeDevices(group, 0, write2);
    expect(some.g0Siemens.slice(0, 200)).toEqual(cells.g0Siemens.slice(0, 200));
  });
});
