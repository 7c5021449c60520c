import { describe, expect, it } from "vitest";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import { layersSimd } from "../../../../models/crossbar/kernels/layers-simd.ts";
import { SequentialRandom } from "../../../../models/random.ts";

const cases = [
  { rows: 1, channels: 1, taps: 1 },
  { rows: 5, channels: 4, taps: 9 },
  { rows: 7, channels: 11, taps: 6 },
  { rows: 20, channels: 64, taps: 9 },
];
const positions = 13;

describe("the SIMD layers equal plain loops to the last bit", () => {
  for (const { rows, channels, taps } of cases) {
    const arena = new Arena(1_000_000);
    const layers = layersSimd(arena);
    const random = new SequentialRandom(channels);
    const filled = (length: number): Float32Array => {
      const array = arena.float32(length);
      for (let i = 0; i < length; i++) array[i] = random.gaussian();
      return array;
    };
    const image = filled(positions * channels);
    const places = arena.int32(rows * taps);
    for (let i = 0; i < places.length; i++) places[i] = random.integer(positions + 1) - 1;

    it(`adding bias and bounds to ${rows} × ${channels}, into rows that are wider`, () => {
      const [x, bias, y] = [filled(rows * channels), filled(channels), arena.float32(rows * (channels + 3))];
      const expected = y.slice();
      for (let i = 0; i < x.length; i++) {
        const sum = Math.fround(x[i]! + bias[i % channels]!);
        expected[Math.floor(i / channels) * (channels + 3) + (i % channels)] = Math.min(Math.max(sum, 0), 0.75);
      }
      layers.addBias(x.byteOffset, y.byteOffset, channels + 3, bias.byteOffset, rows, channels, 0, 0.75);
      expect(y).toEqual(expected);
    });
    it(`unfolding ${rows} windows of ${taps} × ${channels}, zeros on the border`, () => {
      const y = filled(rows * taps * channels);
      const expected = Float32Array.from(y, (_, i) => {
        const position = places[Math.floor(i / channels)]!;
        return position < 0 ? 0 : image[position * channels + (i % channels)]!;
      });
      layers.gather(image.byteOffset, y.byteOffset, places.byteOffset, places.length, channels, channels);
      expect(y).toEqual(expected);
    });
    it(`taking the mean of ${positions} rows of ${channels}`, () => {
      const y = filled(channels);
      const expected = Float32Array.from(y, (_, c) => {
        let sum = 0;
        for (let p = 0; p < positions; p++) sum = Math.fround(sum + image[p * channels + c]!);
        return sum / positions;
      });
      layers.mean(image.byteOffset, y.byteOffset, positions, channels);
      expect(y).toEqual(expected);
    });
    it(`convolving ${channels} channels by ${taps} taps each at ${rows} positions`, () => {
      const [weights, y] = [filled(taps * channels), filled(rows * channels)];
      const expected = Float32Array.from(y, (_, i) => {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) {
          const position = places[Math.floor(i / channels) * taps + tap]!;
          if (position < 0) continue;
          const weight = weights[tap * channels + (i % channels)]!;
          sum = Math.fround(sum + Math.fround(weight * image[position * channels + (i % channels)]!));
        }
        return sum;
      });
      const [x, w] = [image.byteOffset, weights.byteOffset];
      layers.depthwise(x, w, y.byteOffset, places.byteOffset, rows, taps, channels);
      expect(y).toEqual(expected);
    });
  }
});
