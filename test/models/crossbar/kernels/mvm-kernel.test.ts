import { describe, expect, it } from "vitest";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import {
  type InputCodes,
  type PackedTile,
  packedIndex,
  packedLength,
} from "../../../../models/crossbar/kernels/kernel.ts";
import { referenceKernel } from "../../../../models/crossbar/kernels/reference.ts";
import { simdKernel } from "../../../../models/crossbar/kernels/simd.ts";
import { SequentialRandom } from "../../../../models/random.ts";

const shapes = [
  { outputs: 1, inputs: 1, batch: 1 },
  { outputs: 3, inputs: 7, batch: 2 },
  { outputs: 16, inputs: 16, batch: 3 },
  { outputs: 17, inputs: 33, batch: 5 },
  { outputs: 31, inputs: 9, batch: 4 },
  { outputs: 64, inputs: 40, batch: 7 },
  { outputs: 255, inputs: 253, batch: 2 },
  { outputs: 256, inputs: 256, batch: 1 },
  { outputs: 20, inputs: 12, batch: 33 }, // more rows than Gaussian numbers are made for at once
];

const seeded = (shape: (typeof shapes)[number], noisy: boolean, squareShift: number) => {
  const arena = new Arena(4_000_000);
  const random = new SequentialRandom(shape.outputs * 1000 + shape.inputs);
  const { outputs, inputs, batch } = shape;
  const padded = (inputs + 1) & ~1;
  const panels = Math.ceil(outputs / 16);
  const tile: PackedTile = {
    outputs,
    inputs,
    weights: arena.int16(packedLength(outputs, inputs)),
    variances: noisy ? arena.uint8(packedLength(outputs, inputs)) : undefined,
    scales: arena.float32(3 * panels * 16),
    adcMax: 127,
  };
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      tile.weights[packedIndex(o, i, inputs)] = random.integer(65535) - 32767;
      if (tile.variances) tile.variances[packedIndex(o, i, inputs)] = random.integer(256);
    }
    // About a third of full scale is one standard deviation, so that a few outputs clip.
    tile.scales[o] = (0.5 + random.uniform()) * (50 / (Math.sqrt(inputs) * 73 * 18918));
    tile.scales[panels * 16 + o] = (3 * (0.5 + random.uniform())) / Math.sqrt(inputs * 5400 * 128);
    tile.scales[2 * panels * 16 + o] = 0.01 + random.uniform();
  }
  const x = arena.float32(batch * inputs);
  for (let i = 0; i < x.length; i++) x[i] = 0.5 * random.gaussian();
  x[0] = Number.NaN;
  const codes = (): InputCodes => ({
    codes: arena.int16(batch * padded),
    squares: noisy ? arena.int16(batch * padded) : undefined,
    squareShift,
  });
  return { arena, tile, x, codes, y: () => arena.float32(batch * outputs + 3) };
};

describe("the simd kernel equals the reference to the last bit", () => {
  for (const noisy of [false, true]) {
    for (const shape of shapes) {
      const { outputs, inputs, batch } = shape;
      it(`for ${batch} × ${inputs} by ${outputs} outputs ${noisy ? "with" : "without"} read noise`, () => {
        const { arena, tile, x, codes, y } = seeded(shape, noisy, 0);
        const simd = simdKernel(arena);
        const [a, b] = [codes(), codes()];
        const eightBits = arena.float32(2);
        eightBits.set([127, 127]);
        const clippedA = referenceKernel.quantise(x, 0, inputs, inputs, batch, eightBits, a);
        expect(simd.quantise(x, 0, inputs, inputs, batch, eightBits, b)).toBe(clippedA);
        expect(b).toEqual(a);
        const keys = arena.int32(2);
        keys.set([123456789, -987654321]);
        const [ya, yb] = [y(), y()];
        for (const accumulate of [0, 1] as const) {
          const outA = referenceKernel.multiply(tile, a, ya, 1, outputs, batch, accumulate, keys);
          expect(simd.multiply(tile, b, yb, 1, outputs, batch, accumulate, keys)).toBe(outA);
          expect(yb).toEqual(ya);
        }
        expect(ya[0]).toBe(0); // not written: outputs begin at 1
        expect(ya[1 + batch * outputs]).toBe(0);
      });
    }
  }
  for (const { channels, taps, rows } of [
    { channels: 28, taps: 9, rows: 37 },
    { channels: 16, taps: 4, rows: 16 },
    { channels: 3, taps: 1, rows: 2 },
    { channels: 33, taps: 25, rows: 1 },
  ]) {
    it(`for ${channels} columns of ${taps} devices with inputs of their own, at ${rows} positions`, () => {
      const { arena, tile } = seeded({ outputs: channels, inputs: taps, batch: 1 }, true, 0);
      const random = new SequentialRandom(taps);
      const positions = 20;
      const length = positions * channels + 16;
      const input = { codes: arena.int16(length), squares: arena.int16(length), squareShift: 0 };
      for (let i = 0; i < length; i++) {
        input.codes[i] = random.integer(255) - 127;
        input.squares[i] = input.codes[i]! ** 2;
      }
      const windows = arena.int32(rows * (taps + (taps & 1)));
      for (let i = 0; i < windows.length; i++) windows[i] = channels * random.integer(positions);
      const keys = arena.int32(2);
      const [a, b] = [arena.float32(rows * channels + 1), arena.float32(rows * channels + 1)];
      const clipped = referenceKernel.depthwise(tile, input, windows, a, rows, keys);
      expect(simdKernel(arena).depthwise(tile, input, windows, b, rows, keys)).toBe(clipped);
      expect(b).toEqual(a);
      expect(b.slice(0, -1).some((value) => value !== 0)).toBe(true);
      expect(b.at(-1)).toBe(0);
    });
  }
  it("for codes of 12 bits, whose squares are shifted", () => {
    const { arena, x, codes } = seeded(shapes[4]!, true, 7);
    const twelveBits = arena.float32(2);
    twelveBits.set([1000, 2047]);
    const [a, b] = [codes(), codes()];
    expect(simdKernel(arena).quantise(x, 0, 9, 9, 4, twelveBits, b)).toBe(
      referenceKernel.quantise(x, 0, 9, 9, 4, twelveBits, a),
    );
    expect(b).toEqual(a);
  });
});
