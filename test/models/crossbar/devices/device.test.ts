import { describe, expect, it } from "vitest";
import { emptyCells } from "../../../../models/crossbar/devices/device.ts";
import { deviceByName, devices } from "../../../../models/crossbar/devices/registry.ts";
import { deviates } from "../../../support/deviates.ts";

const ages = [0, 1, 60, 3600, 86_400, 31_536_000];

describe.each(devices)("$name behaves as a device model", (device) => {
  const count = 2000;
  const { gMinSiemens, gMaxSiemens } = device;
  const targets = Float32Array.from(
    { length: count },
    (_, d) => gMinSiemens + ((gMaxSiemens - gMinSiemens) * d) / (count - 1),
  );
  const write = (from = 0) => {
    const cells = emptyCells(count - from);
    device.program(targets.subarray(from), deviates(count - from, 11, [1, 2, 0]), cells);
    return cells;
  };
  const cells = write();
  const at = (ageSeconds: number) => {
    const out = new Float32Array(count);
    device.conductances(cells, ageSeconds, out);
    return out;
  };
  const variancesAt = (ageSeconds: number) => {
    const out = new Float32Array(count);
    device.readVariances(cells, ageSeconds, out);
    return out;
  };
  it("never yields a negative or infinite conductance or variance", () => {
    for (const age of ages) {
      expect(at(age).every((g) => g >= 0 && g < 10 * gMaxSiemens)).toBe(true);
      expect(variancesAt(age).every((v) => v >= 0 && v < gMaxSiemens ** 2)).toBe(true);
    }
  });
  it("does not drift at age zero", () => {
    expect(at(0)).toEqual(cells.g0Siemens);
  });
  // Relaxation and lost charge go both ways.
  it.skipIf(/^(rram-wan|cmo|sonos)/.test(device.name))("never gains conductance by drifting", () => {
    for (let i = 1; i < ages.length; i++) {
      const [before, after] = [at(ages[i - 1]!), at(ages[i]!)];
      expect(after.every((g, d) => g <= before[d]!)).toBe(true);
    }
  });
  it("fluctuates only where it says so", () => {
    expect(variancesAt(60).some((v) => v > 0)).toBe(device.hasReadNoise);
  });
  it("aims where it is told: the mean error over all targets is within 2 % of its range", () => {
    const error = cells.g0Siemens.reduce((sum, g, d) => sum + g - targets[d]!, 0) / count;
    expect(Math.abs(error)).toBeLessThan(0.02 * (gMaxSiemens - gMinSiemens));
  });
  it("programs the same state from the same seed", () => {
    expect(write()).toEqual(cells);
  });
  it("is found by its name", () => {
    expect(deviceByName(device.name)).toBe(device);
  });
});

describe("deviceByName", () => {
  it("says which names it knows", () => {
    expect(() => deviceByName("pcm")).toThrow(
      /^device: expected one of ideal, generic, pcm-nandakumar-2019, .*, got pcm$/,
    );
  });
});
