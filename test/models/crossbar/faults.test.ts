import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { drawFaults, type FaultMap } from "../../../models/crossbar/faults.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";

const none: FaultMap = { stuckLow: [], stuckHigh: [], openWordLines: [], openBitLines: [] };
const shapeOf = (columns: number, inputs: number) => ({ columns, inputs, crossbars: 1 });
const tile = { seed: 3, arrayId: 1, index: 2 };

describe("drawn faults", () => {
  it("are as many as the rates say, to five standard deviations of a binomial", () => {
    const [outputs, inputs] = [256, 256];
    const map = drawFaults({ stuckLow: 0.02, stuckHigh: 0.01 }, shapeOf(outputs, inputs), tile);
    const devices = 2 * outputs * inputs;
    for (const [found, rate] of [
      [map.stuckLow, 0.02],
      [map.stuckHigh, 0.01],
    ] as const) {
      const deviation = Math.sqrt(devices * rate * (1 - rate));
      expect(Math.abs(found.length - devices * rate)).toBeLessThan(5 * deviation);
    }
    expect(map.stuckLow.filter((d) => map.stuckHigh.includes(d))).toEqual([]);
    const lines = [5, 6, 7, 8].map((index) => drawFaults({ openBitLines: 0.25 }, shapeOf(256, 1), { ...tile, index }));
    const open = lines.reduce((sum, { openBitLines }) => sum + openBitLines.length, 0);
    expect(Math.abs(open - 512)).toBeLessThan(5 * Math.sqrt(2048 * 0.25 * 0.75));
  });

  it("are the same for a seed, others for another tile, and those of a lower rate are among those of a higher", () => {
    const low = drawFaults({ stuckLow: 0.01 }, shapeOf(64, 64), tile).stuckLow;
    const high = drawFaults({ stuckLow: 0.05 }, shapeOf(64, 64), tile).stuckLow;
    expect(drawFaults({ stuckLow: 0.01 }, shapeOf(64, 64), tile).stuckLow).toEqual(low);
    expect(drawFaults({ stuckLow: 0.01 }, shapeOf(64, 64), { ...tile, index: 3 }).stuckLow).not.toEqual(low);
    expect(low.length).toBeGreaterThan(0);
    expect(high).toEqual(expect.arrayContaining([...low]));
  });

  it.each([
    [{ stuckLow: 1.5 }, "stuckLow: expected a rate in 0 … 1, got 1.5"],
    [{ openWordLines: Number.NaN }, "openWordLines: expected a rate in 0 … 1, got NaN"],
    [{ stuckLow: 0.6, stuckHigh: 0.6 }, "stuckLow + stuckHigh: expected at most 1, got 1.2"],
  ])("are refused at %o", (rates, sentence) => {
    expect(() => drawFaults(rates, shapeOf(4, 4), tile)).toThrow(sentence);
  });
});

describe("A tile with faults", () => {
  // Weights of 1 and −1 in turn; ideal devices, so that an output is a sum of ± inputs.
  const [outputs, inputs] = [3, 4];
  const weights = Float32Array.from({ length: 12 }, (_, p) => (p % 2 === 0 ? 1 : -1));
  const run = (spec: Partial<ArraySpec>) => {
    const arena = new Arena(100_000);
    const base = { device: ideal, dacBits: 8, adcBits: 12, tileInputs: 256, tileOutputs: 256, inputMax: 1 };
    const more = { seed: 1, arrayId: 0, maxBatch: 1, kernel: "simd" as const, tileOutputMax: [8] };
    const array = new CrossbarArray(weights, outputs, inputs, { ...base, ...more, ...spec }, arena);
    const [x, y] = [arena.float32(inputs), arena.float32(outputs)];
    x.fill(1);
    array.mvm(x, y, 1, 0);
    return Array.from(y, (v) => Math.round(100 * v) / 100);
  };
  const withMap = (map: Partial<FaultMap>) => run({ faults: [{ ...none, ...map }] });

  it("has weight 0 where the device that carries it is stuck low", () => {
    expect(run({})).toEqual([0, 0, 0]);
    expect(withMap({ stuckLow: [0] })).toEqual([-1, 0, 0]); // plus of pair 0
    expect(withMap({ stuckLow: [1] })).toEqual([0, 0, 0]); // minus of pair 0 is low anyhow
  });
  it("gains the full weight where the other device is stuck high", () => {
    expect(withMap({ stuckHigh: [1] })).toEqual([-1, 0, 0]); // minus of pair 0 cancels its plus
    expect(withMap({ stuckHigh: [10] })).toEqual([0, 1, 0]); // plus of pair 5
  });
  it("loses an input of all outputs by an open word line, the plus or minus of one output by an open bit line", () => {
    expect(withMap({ openWordLines: [1] })).toEqual([1, 1, 1]);
    expect(withMap({ openBitLines: [2] })).toEqual([0, -2, 0]);
    expect(withMap({ openBitLines: [5] })).toEqual([0, 0, 2]);
  });
  it("has no noise where nothing but stuck devices conducts", () => {
    const all = Array.from({ length: 24 }, (_, d) => d);
    const faults = [{ ...none, stuckLow: all }];
    expect(run({ device: pcmNandakumar2019, faults })).toEqual([0, 0, 0]);
  });
  it("refuses a map of another tile", () => {
    expect(() => withMap({ stuckLow: [24] })).toThrow("stuckLow: expected integers in 0 … 23, got 24");
    expect(() => withMap({ openWordLines: [-1] })).toThrow("openWordLines: expected integers in 0 … 3, got -1");
    expect(() => run({ faults: [] })).toThrow("faults: expected a map for each tile, got none for tile 0");
  });
});
