import { describe, expect, it } from "vitest";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import { devicesOf } from "../../../models/crossbar/columns.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { devices } from "../../../models/crossbar/devices/registry.ts";
import type { ArrayState } from "../../../models/crossbar/tile-state.ts";
import { dayInSeconds, make as makeSmall } from "../../support/small-array.ts";

/** The small array with spare tiles. */
const make = (spec: Partial<ArraySpec> = {}, state?: ArrayState) => makeSmall({ spareTiles: 2, ...spec }, state);
const none = { openBitLines: [], openWordLines: [], stuckLow: [], stuckHigh: [] };
/** Tile 0 dead, the others whole. */
const dead = [0, 1, 2, 3].map((t) => ({
  ...none,
  openWordLines: t === 0 ? Array.from({ length: 15 }, (_, i) => i) : [],
}));

describe("A spare tile", () => {
  it("holds what a dead tile cannot: on ideal devices products are those of the whole array, bit for bit", () => {
    const whole = make({ device: ideal }).run();
    const { array, tile, run } = make({ device: ideal, faults: dead });
    expect(run()).not.toEqual(whole);
    tile.moveTo(tile.spareTile(1));
    expect(run()).toEqual(whole);
    expect(array.tiles.map(({ spare }) => spare)).toEqual([1, undefined, undefined, undefined]);
  });

  it.each([
    { pairs: 3, spareColumns: 2 },
    { pairing: "two-sided", scaleByColumn: true },
    { weightSlices: { bits: 8, count: 2 } },
    { converters: "plain" },
    { inputSliceBits: 3, scaleInputs: true },
    { wires: { layout: "separate", wordLineOhm: 2, bitLineOhm: 2 } },
    { kernel: "reference" },
  ] as const)("does so with hardware of all kinds: %o", (hardware) => {
    const whole = make({ device: ideal, ...hardware });
    const { array, run } = make({ device: ideal, ...hardware });
    for (const tile of array.tiles.slice(0, 2)) tile.rewrite([...Array(60).keys()], undefined, new Float32Array(60));
    expect(run()).not.toEqual(whole.run());
    for (const [spare, tile] of array.tiles.slice(0, 2).entries()) tile.moveTo(tile.spareTile(spare));
    expect(run()).toEqual(whole.run());
  });

  it("is as a tile that was just programmed: α 1, its age 0, ranges and what drift is measured by of its own", () => {
    const { array, tile, run } = make({ faults: dead });
    array.ageTo(30 * dayInSeconds);
    array.calibrate("per-column");
    tile.rescale(new Float32Array(10).fill(2), new Float32Array(10).fill(1));
    tile.moveTo(tile.spareTile(0));
    expect([...tile.alpha]).toEqual(new Array(10).fill(1));
    expect([...tile.circuit.offsets]).toEqual(new Array(10).fill(0));
    const { cells, programmedResponse, calibrationMax } = tile.state();
    expect(new Set(cells.writtenAtSeconds)).toEqual(new Set([30 * dayInSeconds]));
    expect(programmedResponse.every((response) => response > 0)).toBe(true);
    expect(calibrationMax).toBeLessThan(make().tile.state().calibrationMax * 1.2);
    const young = run();
    array.ageTo(60 * dayInSeconds);
    array.calibrate("per-column");
    // (30 d / 20 s) to the power of ν, which is 0.05 … 0.1 for most devices.
    for (const alpha of tile.alpha) expect(alpha).toBeGreaterThan(1.4);
    expect(run()).not.toEqual(young);
  });

  it("has devices of its own: other random numbers than any tile's and any other spare's, and no wear but its own", () => {
    const written = [undefined, 0, 1].map((spare) => {
      const { tile } = make();
      tile.rewrite("all");
      if (spare !== undefined) tile.moveTo(tile.spareTile(spare));
      return tile.state().cells;
    });
    expect(written.map(({ writes }) => new Set(writes))).toEqual([new Set([2]), new Set([1]), new Set([1])]);
    const [own, ...spares] = written.map(({ g0Siemens }) => g0Siemens.join());
    expect(new Set([own, ...spares, make().tile.state().cells.g0Siemens.join()]).size).toBe(4);
    // The same spare is the same devices, whichever array asks, in each run.
    const { array, tile } = make({ arrayId: 7 });
    tile.moveTo(tile.spareTile(1));
    expect(array.tiles[0]!.state().cells.g0Siemens.join()).toBe(spares[1]);
  });

  it("has faults of its own, by the rates of the chip", () => {
    const faults = { stuckLow: 0.1, stuckHigh: 0.1 };
    const maps = [make({ faults }).tile, ...[0, 1].map((spare) => make({ faults }).tile.spareTile(spare).cells)].map(
      (owner) => ("cells" in owner ? owner.faults : owner.state().faults)!,
    );
    for (const { stuckLow, stuckHigh } of maps) {
      // Of 300 devices a tenth, within four standard deviations.
      for (const { length } of [stuckLow, stuckHigh]) expect(Math.abs(length - 30)).toBeLessThan(4 * Math.sqrt(27));
    }
    expect(new Set(maps.map((map) => JSON.stringify(map))).size).toBe(3);
  });

  it("takes over from spare columns and of weights that were taught: what the outputs hold", () => {
    const { tile, run } = make({ device: ideal, spareColumns: 2 });
    tile.useSpare(3, 1);
    const column = devicesOf(tile.columnOf(3), tile.shape);
    const taught = tile.targetsSiemens("weights").map((siemens, d) => (column.includes(d) ? siemens / 2 : siemens));
    tile.teach(column, taught);
    tile.rewrite(
      column,
      undefined,
      Float32Array.from(column, (d) => taught[d]!),
    );
    const before = run();
    tile.moveTo(tile.spareTile(0));
    expect(tile.columnOf(3)).toBe(3);
    expect(tile.freeSpares).toEqual([0, 1]);
    expect(run()).toEqual(before);
    const { weightSiemens, columns } = tile.state();
    expect([...columns]).toEqual([...columns.keys()]);
    expect(weightSiemens).toEqual(tile.targetsSiemens("weights"));
  });

  it("is tested before anything depends on it", () => {
    const { tile, run } = make();
    const before = run();
    const spare = tile.spareTile(0);
    const all = [...spare.cells.weightSiemens.keys()];
    const high = { acceptanceSiemens: 1e-6, maxPulses: 20 };
    expect(spare.write(all, 25e-6, high).outside).toBe(0);
    const readings = spare.read(3);
    expect(readings.reduce((sum, g) => sum + g, 0) / readings.length).toBeCloseTo(25e-6, 6);
    expect(spare.read(3)).toEqual(readings);
    expect(spare.read(4)).not.toEqual(readings);
    expect(run()).toEqual(before);
    tile.moveTo(spare);
    expect(Math.min(...tile.state().cells.writes)).toBe(2);
    expect(() => tile.spareTile(2)).toThrow("spare tile: expected an integer in 0 … 1, got 2");
    expect(() => make({ spareTiles: 257 })).toThrow("spareTiles: expected an integer in 0 … 256, got 257");
  });
});

describe("The state of an array with tiles on spares", () => {
  it.each(devices.map((device) => [device.name, device] as const))(
    "of %s, put back, gives the bits of the array that went on",
    (_, device) => {
      const spec = { device, spareColumns: 2, slowNoise: true, faults: { stuckLow: 0.02, openBitLines: 0.05 } };
      const { array, tile, run } = make(spec);
      array.ageTo(3600);
      tile.useSpare(4, 1);
      tile.moveTo(tile.spareTile(1));
      tile.useSpare(2, 0);
      array.ageTo(dayInSeconds, 25);
      array.calibrate("per-column");
      const back = make(spec, structuredClone(array.state()));
      expect(back.run(9)).toEqual(run(9));
      expect(back.array.state()).toEqual(array.state());
      for (const both of [array, back.array]) {
        both.ageTo(30 * dayInSeconds, 40);
        both.tiles[0]!.rewrite([3, 7]);
        both.tiles[1]!.moveTo(both.tiles[1]!.spareTile(0));
        both.tiles[0]!.rewrite("all");
        both.calibrate("global");
      }
      expect(back.run(10)).toEqual(run(10));
    },
  );

  it("can be shown by an array that never moved, which then gives the same bits, read noise and all", () => {
    const moved = make({ faults: dead });
    moved.tile.moveTo(moved.tile.spareTile(1));
    const fresh = make({ faults: dead });
    for (const [t, { circuit }] of moved.array.tiles.entries()) {
      fresh.array.tiles[t]!.circuit.show(structuredClone(circuit.image()));
    }
    expect(fresh.run(3)).toEqual(moved.run(3));
    expect(make({ faults: dead }, moved.array.state()).run(3)).toEqual(moved.run(3));
  });

  it("is refused where the chip has no such spare tile", () => {
    const { array, tile } = make();
    tile.moveTo(tile.spareTile(1));
    expect(() => make({ spareTiles: 1 }, array.state())).toThrow("state spare: expected an integer in 0 … 0, got 1");
    expect(() => make({ spareTiles: 0 }, array.state())).toThrow("state spare: expected");
  });
});
