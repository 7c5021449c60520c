import { CrossbarArray } from "../../models/crossbar/array.ts";
import type { ArraySpec } from "../../models/crossbar/array-spec.ts";
import { pcmNandakumar2019 } from "../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../../models/crossbar/kernels/arena.ts";
import type { ArrayState } from "../../models/crossbar/tile-state.ts";
import { SequentialRandom } from "../../models/random.ts";

export const [outputs, inputs] = [19, 30];
const random = new SequentialRandom(3);
export const weights = Float32Array.from({ length: outputs * inputs }, () => random.gaussian());
export const base: ArraySpec = {
  device: pcmNandakumar2019,
  ...{ dacBits: 8, adcBits: 8, tileInputs: 16, tileOutputs: 12, inputMax: 1, seed: 5, arrayId: 2, maxBatch: 1 },
  kernel: "simd",
};
export const dayInSeconds = 86_400;

/** The array on four tiles, its first tile, and products of one input. */
export const make = (spec: Partial<ArraySpec> = {}, state?: ArrayState) => {
  const arena = new Arena(1_000_000);
  const array = new CrossbarArray(weights, outputs, inputs, { ...base, ...spec }, arena, state);
  const [x, y] = [arena.float32(inputs), arena.float32(outputs)];
  for (let i = 0; i < inputs; i++) x[i] = Math.sin(i + 1);
  const run = (inference = 0) => {
    array.mvm(x, y, 1, inference);
    return y.slice();
  };
  return { array, tile: array.tiles[0]!, run };
};
