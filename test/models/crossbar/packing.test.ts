import { describe, expect, it } from "vitest";
import { packedIndex, packedLength } from "../../../models/crossbar/kernels/kernel.ts";
import { packVariances } from "../../../models/crossbar/packing.ts";
import { SequentialRandom } from "../../../models/random.ts";

describe("variances of read noise in codes of 8 bits", () => {
  // A code is wrong by half a step at most, 1/510 of the largest: the fewer devices are read, the more it weighs.
  for (const [inputs, typical, most] of [
    [9, 0.005, 0.1],
    [64, 0.002, 0.01],
    [256, 0.001, 0.005],
  ] as const) {
    it(`give the σ of a product of ${inputs} inputs within ${100 * most} %, r.m.s. ${100 * typical} %`, () => {
      const random = new SequentialRandom(inputs);
      const outputs = 16;
      const squares = new Float32Array(2 * outputs * inputs);
      // From zero to its largest, as the read noise of PCM grows with the conductance.
      for (let p = 0; p < squares.length; p++) squares[p] = 1e-14 * random.uniform() ** 2;
      const packed = new Uint8Array(packedLength(outputs, inputs));
      const widths = new Float64Array(outputs);
      packVariances(squares, inputs, new Float64Array(outputs).fill(1), 255, packed, widths);
      let [sum, count] = [0, 0];
      for (let trial = 0; trial < 50; trial++) {
        const codes = Array.from({ length: inputs }, () => Math.max(0, random.gaussian()) * 40); // after a relu
        for (let o = 0; o < outputs; o++) {
          let [exact, coded] = [0, 0];
          for (let i = 0; i < inputs; i++) {
            const pair = 2 * (o * inputs + i);
            exact += (squares[pair]! + squares[pair + 1]!) * codes[i]! ** 2;
            coded += packed[packedIndex(o, i, inputs)]! * widths[o]! * codes[i]! ** 2;
          }
          if (exact === 0) continue;
          const error = Math.sqrt(coded / exact) - 1;
          expect(Math.abs(error)).toBeLessThan(most);
          sum += error ** 2;
          count++;
        }
      }
      expect(Math.sqrt(sum / count)).toBeLessThan(typical);
    });
  }
});
