import { describe, expect, it } from "vitest";
import { tilesOf } from "../../../models/crossbar/mapping.ts";

describe("tilesOf", () => {
  it("covers each weight of the matrix once", () => {
    for (const [outputs, inputs, tileOutputs, tileInputs] of [
      [1, 1, 1, 1],
      [12, 300, 256, 256],
      [7, 10, 3, 4],
      [513, 257, 256, 100],
    ] as const) {
      const seen = new Uint8Array(outputs * inputs);
      for (const tile of tilesOf(outputs, inputs, tileOutputs, tileInputs)) {
        expect(tile.outputs <= tileOutputs && tile.inputs <= tileInputs).toBe(true);
        for (let o = 0; o < tile.outputs; o++) {
          for (let i = 0; i < tile.inputs; i++) seen[(tile.outputFrom + o) * inputs + tile.inputFrom + i]!++;
        }
      }
      expect(seen.every((count) => count === 1)).toBe(true);
    }
  });
  it("takes no more tiles than it must, output tiles outer, in even pieces", () => {
    expect(tilesOf(300, 257, 256, 256)).toEqual([
      { outputFrom: 0, outputs: 150, inputFrom: 0, inputs: 129 },
      { outputFrom: 0, outputs: 150, inputFrom: 129, inputs: 128 },
      { outputFrom: 150, outputs: 150, inputFrom: 0, inputs: 129 },
      { outputFrom: 150, outputs: 150, inputFrom: 129, inputs: 128 },
    ]);
  });
  it("says which sizes it expected", () => {
    expect(() => tilesOf(4, 4, 0, 4)).toThrow("tileOutputs: expected an integer in 1 … 256, got 0");
    expect(() => tilesOf(4, 4, 4, 257)).toThrow("tileInputs: expected an integer in 1 … 256, got 257");
    expect(() => tilesOf(0, 4, 4, 4)).toThrow("outputs: expected an integer in 1 … 16777216, got 0");
  });
});
