import { expect, it } from "vitest";
import { CrossbarArray } from "../../../../models/crossbar/array.ts";
import { pcmNandakumar2019 } from "../../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";

it("An array behind wires makes its effective matrix once for each age, not for products or the same age again", () => {
  let asked = 0; // a tile asks for its conductances only to make its matrix
  const device: typeof pcmNandakumar2019 = {
    ...pcmNandakumar2019,
    conductances(cells, ageSeconds, out) {
      asked++;
      pcmNandakumar2019.conductances(cells, ageSeconds, out);
    },
  };
  const arena = new Arena(1_000_000);
  const wires = { wordLineOhm: 5, bitLineOhm: 5, layout: "separate" as const };
  const sizes = { dacBits: 8, adcBits: 8, tileInputs: 4, tileOutputs: 8, inputMax: 1, maxBatch: 1 };
  const weights = Float32Array.from({ length: 64 }, (_, k) => Math.sin(k));
  const spec = { ...sizes, device, wires, seed: 1, arrayId: 0, kernel: "simd" as const };
  const array = new CrossbarArray(weights, 8, 8, spec, arena);
  const [x, y] = [arena.float32(8).fill(0.5), arena.float32(8)];
  expect(asked).toBe(2); // two tiles
  array.ageTo(0);
  array.mvm(x, y, 1, 1);
  array.calibrate("global");
  expect(asked).toBe(2);
  array.ageTo(86_400);
  array.ageTo(86_400);
  array.mvm(x, y, 1, 2);
  expect(asked).toBe(4);
});
