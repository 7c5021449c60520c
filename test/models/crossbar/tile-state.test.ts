import { describe, expect, it } from "vitest";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { devices } from "../../../models/crossbar/devices/registry.ts";
import { rramMilo2021 } from "../../../models/crossbar/devices/rram-milo-2021.ts";
import type { ArrayState } from "../../../models/crossbar/tile-state.ts";
import { base, dayInSeconds, inputs, make, weights } from "../../support/small-array.ts";

/** As a file would hold it: bytes of the typed arrays, and JSON of the rest. */
const throughAFile = (state: ArrayState): ArrayState => structuredClone(state);

describe("The state of an array", () => {
  it.each(devices.map((device) => [device.name, device] as const))(
    "of %s, put back, gives the bits of the array that went on: aged, rewritten, calibrated, on spares, with faults",
    (_, device) => {
      const spec = { device, spareColumns: 3, faults: { stuckLow: 0.02, stuckHigh: 0.01, openBitLines: 0.05 } };
      const { array, tile, run } = make(spec);
      array.ageTo(3600);
      tile.rewrite([7, 8], undefined, [device.gMaxSiemens / 2, device.gMaxSiemens]);
      tile.rewrite([0, 7, 8, 101]);
      tile.useSpare(4, 1);
      array.ageTo(dayInSeconds, 25);
      array.calibrate("per-column");
      tile.circuit.setRanges(7);
      const back = make(spec, throughAFile(array.state()));
      expect(back.run(9)).toEqual(run(9));
      expect(back.array.state()).toEqual(array.state());
      for (const both of [array, back.array]) {
        both.ageTo(30 * dayInSeconds, 40);
        both.tiles[0]!.rewrite([3, 7]);
        both.tiles[1]!.rewrite("all");
        both.calibrate("global");
      }
      expect(back.run(10)).toEqual(run(10));
    },
  );
  it.each([
    {},
    { converters: "plain" },
    { device: rramMilo2021, readVolts: 0.3, wires: { layout: "separate", wordLineOhm: 5, bitLineOhm: 5 } },
  ] as const)("can be shown by another array, which then gives the same bits: %o", (hardware) => {
    const aged = make(hardware);
    aged.array.ageTo(dayInSeconds);
    for (const tile of aged.array.tiles) tile.rewrite("all");
    aged.array.tiles[0]!.circuit.setRanges(9);
    aged.array.calibrate("per-column");
    const fresh = make(hardware);
    expect(fresh.run(3)).not.toEqual(aged.run(3));
    for (const [t, { circuit }] of aged.array.tiles.entries()) {
      fresh.array.tiles[t]!.circuit.show(structuredClone(circuit.image()));
    }
    expect(fresh.run(3)).toEqual(aged.run(3));
    const small = make({ ...hardware, tileInputs: 8 });
    const image = aged.array.tiles[0]!.circuit.image();
    expect(() => small.array.tiles[0]!.circuit.show(image)).toThrow(/image: expected [\d,]+ numbers, got/);
    const other = make(image.kind === "packed" ? { converters: "plain" } : { device: base.device });
    expect(() => other.array.tiles[0]!.circuit.show(image)).toThrow("image: expected one of a tile read");
  });
  it("has targets of its own where devices were told to aim elsewhere, kept within the range of writes", () => {
    const { tile } = make({ device: ideal });
    const { gMaxSiemens } = ideal;
    tile.rewrite([4, 5], undefined, [gMaxSiemens / 4, 2 * gMaxSiemens]);
    expect([...tile.conductancesAt(0).subarray(4, 6)]).toEqual([gMaxSiemens / 4, gMaxSiemens].map(Math.fround));
    expect(tile.targetsSiemens()[5]).toBe(Math.fround(gMaxSiemens));
  });
  it.each([
    { pairs: 3, spareColumns: 1, slowNoise: true },
    { weightSlices: { bits: 8, count: 2 }, pairing: "two-sided" },
    { scaleByColumn: true, verify: { acceptanceSiemens: 5e-7, maxPulses: 9 } },
    { converters: "plain", pairs: 2 },
    { inputSliceBits: 3, scaleInputs: true, retryClipped: true },
    { wires: { layout: "separate", wordLineOhm: 2, bitLineOhm: 2 }, pairs: 2, spareColumns: 1 },
  ] as const)("gives the same bits with hardware of all kinds: %o", (hardware) => {
    const spec = { ...hardware, faults: { stuckHigh: 0.02, openWordLines: 0.03 } };
    const { array, run } = make(spec);
    array.ageTo(3600);
    array.tiles[1]!.rewrite([0, 9, 17]);
    array.ageTo(dayInSeconds, 40);
    array.calibrate("per-column");
    const back = make(spec, throughAFile(array.state()));
    expect(back.run(9)).toEqual(run(9));
    for (const both of [array, back.array]) both.ageTo(2 * dayInSeconds);
    expect(back.run(10)).toEqual(run(10));
  });
  it("programs nothing: a device that must not be written stays as it is", () => {
    const { array } = make();
    const writeOnce = {
      ...pcmNandakumar2019,
      program: () => {
        throw new Error("expected no write");
      },
    };
    expect(() => make({ device: writeOnce }, array.state())).not.toThrow();
  });
  it("is a copy", () => {
    const { array, run } = make();
    const before = run();
    array.state().tiles[0]!.cells.g0Siemens.fill(0);
    array.state().tiles[0]!.alpha.fill(7);
    array.ageTo(1);
    array.ageTo(0);
    expect(run()).toEqual(before);
  });
  it.each([
    [
      "tiles",
      (state: ArrayState) => ({ ...state, tiles: state.tiles.slice(1) }),
      "state tiles: expected an integer in 4",
    ],
    [
      "cells",
      (state: ArrayState) => ({ ...state, tiles: [state.tiles[1]!, ...state.tiles.slice(1)].reverse() }),
      "state cells.g0Siemens: expected 300 numbers, got 270",
    ],
    [
      "columns",
      (state: ArrayState) => ({
        ...state,
        tiles: state.tiles.map((tile) => ({ ...tile, columns: tile.columns.fill(0) })),
      }),
      "state columns: expected 10 different columns of 10, got 0,0,0",
    ],
    [
      "numbers",
      (state: ArrayState) => ({
        ...state,
        tiles: state.tiles.map((tile) => ({ ...tile, alpha: tile.alpha.fill(-1) })),
      }),
      "state alpha[0]: expected a finite number ≥ 0, got -1",
    ],
    ["time", (state: ArrayState) => ({ ...state, atSeconds: -1 }), "ageSeconds: expected a finite number ≥ 0, got -1"],
  ])("of another array is refused: %s", (_, spoil, sentence) => {
    expect(() => make({}, spoil(make().array.state()) as ArrayState)).toThrow(sentence);
  });
});

describe("Rewriting", () => {
  it("makes the devices it is told young again, with fresh numbers, and leaves the others", () => {
    const { array, tile } = make();
    array.ageTo(dayInSeconds);
    const old = tile.conductancesAt(dayInSeconds);
    const before = tile.state().cells;
    const which = [2, 3, 40, 41];
    const count = tile.rewrite(which);
    expect(count).toMatchObject({ devices: 4, pulses: 4, outside: 0 });
    const after = tile.state().cells;
    const now = tile.conductancesAt(dayInSeconds);
    for (let d = 0; d < now.length; d++) {
      const isRewritten = which.includes(d);
      expect(after.writes[d]).toBe(isRewritten ? 2 : 1);
      expect(after.writtenAtSeconds[d]).toBe(isRewritten ? dayInSeconds : 0);
      if (isRewritten) expect(now[d]).toBe(after.g0Siemens[d]);
      else expect([now[d], after.g0Siemens[d]]).toEqual([old[d], before.g0Siemens[d]]);
    }
    expect(after.g0Siemens[2]).not.toBe(before.g0Siemens[2]);
  });
  it("draws the same numbers in another order of devices, and in another run", () => {
    const states = [
      [2, 40, 7],
      [7, 2, 40, 2],
    ].map((which) => {
      const { tile } = make();
      tile.rewrite(which);
      return tile.state().cells;
    });
    expect(states[1]).toEqual(states[0]);
  });
  it("of all gives back what a day has taken, without calibration", () => {
    const { array, run } = make({ adcBits: 12 });
    const error = (y: Float32Array, wanted: Float32Array) =>
      Math.sqrt(y.reduce((s, v, o) => s + (v - wanted[o]!) ** 2, 0) / wanted.reduce((s, v) => s + v * v, 0));
    const exact = make({ device: ideal, adcBits: 12 }).run();
    array.ageTo(dayInSeconds);
    const aged = error(run(), exact);
    for (const tile of array.tiles) tile.rewrite("all");
    expect(aged).toBeGreaterThan(0.3); // (4321)^−0.049 = 0.66
    expect(error(run(), exact)).toBeLessThan(0.2);
    expect([...array.tiles[0]!.alpha]).toEqual(new Array(10).fill(1));
  });
  it("is not undone: an earlier time is refused, and the tile stays where it was", () => {
    const { array, tile, run } = make();
    array.ageTo(3600);
    tile.rewrite([1]);
    const y = run();
    expect(() => array.ageTo(3599)).toThrow(
      "atSeconds: expected at least 3600, when a device was last written, got 3599",
    );
    expect(run()).toEqual(y);
    expect(() => tile.rewrite([300])).toThrow("devices: expected integers in 0 … 299, got 300");
  });
});

describe("Spare columns", () => {
  const dead = { openBitLines: [0, 1], openWordLines: [], stuckLow: [], stuckHigh: [] };
  it("take the place of a dead column, faults of their own included", () => {
    const whole = make({ device: ideal }).run();
    const faults = [0, 1, 2, 3].map((t) => (t < 2 ? dead : { ...dead, openBitLines: [] }));
    const { array, run } = make({ device: ideal, spareColumns: 2, faults });
    expect(run()[0]).toBe(0);
    for (const tile of array.tiles.slice(0, 2)) tile.useSpare(0, 1);
    // Ranges of the ADCs were taken from what the tile could give without output 0: as coarse as its step.
    const step = array.tiles[0]!.circuit.outputMax / 127 + array.tiles[1]!.circuit.outputMax / 127;
    expect(Math.abs(run()[0]! - whole[0]!)).toBeLessThan(step);
    expect(run().slice(1, 10)).toEqual(make({ device: ideal, faults }).run().slice(1, 10));
    const both = faults.map((map, t) => (t < 2 ? { ...map, openBitLines: [0, 1, 22, 23] } : map));
    const other = make({ device: ideal, spareColumns: 2, faults: both });
    for (const tile of other.array.tiles.slice(0, 2)) tile.useSpare(0, 1);
    expect(other.run()[0]).toBe(0);
  });
  it("change no bit while nobody uses them", () => {
    const aged = [0, 5].map((spareColumns) => {
      const { array, run } = make({ spareColumns, faults: { stuckLow: 0.05, openWordLines: 0.02 } });
      array.ageTo(dayInSeconds);
      array.calibrate("global");
      return run(3);
    });
    expect(aged[1]).toEqual(aged[0]);
  });
  it("are refused where there is none or it is taken", () => {
    const { tile } = make({ spareColumns: 1 });
    expect(() => tile.useSpare(0, 1)).toThrow("spare: expected an integer in 0 … 0, got 1");
    tile.useSpare(0, 0);
    expect(() => tile.useSpare(1, 0)).toThrow("spare: expected one that is free, got 0");
    expect(() => make({ spareColumns: -1 })).toThrow("spareColumns: expected an integer in 0 … 256, got -1");
  });
});

describe("Reads for self test", () => {
  it("give every device within half a step of its converter, where reads do not fluctuate", () => {
    const { tile } = make({ device: { ...pcmNandakumar2019, hasReadNoise: false }, adcBits: 10 });
    const exact = tile.conductancesAt(0);
    const step = (1.25 * 25e-6) / 511;
    const read = tile.readDevices(1);
    for (let d = 0; d < exact.length; d++) expect(Math.abs(read[d]! - exact[d]!)).toBeLessThan(0.501 * step);
  });
  it("have the read noise of each device: mean square over its variance is 1 within five standard errors", () => {
    const { array, tile } = make({ adcBits: 16 });
    array.ageTo(3600);
    const [exact, variances] = [tile.conductancesAt(3600), tile.readVariancesAt(3600)];
    let [sum, count] = [0, 0];
    for (let moment = 0; moment < 40; moment++) {
      tile.readDevices(moment).forEach((g, d) => {
        if (exact[d]! < 4e-6) return; // smaller ones are held at zero now and then
        sum += (g - exact[d]!) ** 2 / variances[d]!;
        count++;
      });
    }
    expect(count).toBeGreaterThan(1000);
    expect(Math.abs(sum / count - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(tile.readDevices(7)).toEqual(tile.readDevices(7));
    expect(tile.readDevices(8)).not.toEqual(tile.readDevices(7));
  });
  it("give every weight as drift has left it, before α", () => {
    const { array, tile } = make({ device: { ...pcmNandakumar2019, hasReadNoise: false }, adcBits: 12, dacBits: 12 });
    array.ageTo(dayInSeconds);
    array.calibrate("global");
    const siemens = tile.conductancesAt(dayInSeconds);
    const most = Math.max(
      ...Array.from({ length: 150 }, (_, p) => Math.abs(weights[Math.floor(p / 15) * inputs + (p % 15)]!)),
    );
    const step = (1.25 * most * 1.3) / 2047;
    tile.readWeights(0).forEach((w, p) => {
      expect(Math.abs(w - ((siemens[2 * p]! - siemens[2 * p + 1]!) * most) / 25e-6)).toBeLessThan(step);
    });
  });
});
