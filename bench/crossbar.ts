import { type ArraySpec, CrossbarArray } from "../models/crossbar/array.ts";
import { ideal } from "../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../models/crossbar/kernels/arena.ts";
import { floatSimd } from "../models/crossbar/kernels/float-simd.ts";
import { SequentialRandom } from "../models/random.ts";

/**
 * Print what a product on the crossbar costs (DAC 8, ADC 8, tiles of 256 × 256) beside the Float32 product by the
 * SIMD kernel and by plain JavaScript: microseconds a row, minimum over interleaved rounds, and median / minimum.
 */
export const run = (): void => {
  for (const side of [64, 256, 512]) {
    for (const batch of [1, 64]) compare(side, batch);
  }
};

const rounds = 101; // short ones: some fall between the work of neighbours

const compare = (side: number, batch: number): void => {
  const arena = new Arena(64e6);
  const random = new SequentialRandom(1);
  const fill = (array: Float32Array) => {
    for (let i = 0; i < array.length; i++) array[i] = 2 * random.uniform() - 1;
    return array;
  };
  const weights = fill(arena.float32(side * side));
  const x = fill(arena.float32(batch * side));
  const y = arena.float32(batch * side);
  const arrayOf = (device: ArraySpec["device"], arrayId: number) => {
    const sizes = { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, inputMax: 1, maxBatch: batch };
    return new CrossbarArray(weights, side, side, { ...sizes, device, seed: 1, arrayId, kernel: "simd" }, arena);
  };
  const float = floatSimd(arena);
  const quantised = arrayOf(ideal, 0);
  const noisy = arrayOf(pcmNandakumar2019, 1);
  let inference = 0;
  const ways: Record<string, () => void> = {
    "plain JavaScript, Float32": () => plainProduct(weights, x, y, side, batch),
    "SIMD, Float32": () => float.gemmNT(x, weights, y, batch, side, side, 0),
    "crossbar, quantised": () => quantised.mvm(x, y, batch, 0),
    "crossbar, with read noise": () => noisy.mvm(x, y, batch, inference++),
  };
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const calls = Math.ceil((name.startsWith("plain") ? 1e6 : 4e6) / (side * side * batch));
      const start = performance.now();
      for (let call = 0; call < calls; call++) way();
      times.get(name)!.push((1000 * (performance.now() - start)) / calls / batch);
    }
  }
  const base = Math.min(...times.get("SIMD, Float32")!);
  console.log(`${side} × ${side}, batch ${batch}`);
  for (const [name, list] of times) {
    const sorted = list.sort((a, b) => a - b);
    const least = sorted[0]!;
    const spread = sorted[rounds >> 1]! / least;
    console.log(
      `  ${name.padEnd(26)} ${least.toFixed(2).padStart(8)} µs a row  × ${(least / base).toFixed(2)} of SIMD Float32` +
        `  median/min ${spread.toFixed(2)}`,
    );
  }
};

const plainProduct = (weights: Float32Array, x: Float32Array, y: Float32Array, side: number, batch: number): void => {
  for (let row = 0; row < batch; row++) {
    for (let o = 0; o < side; o++) {
      let sum = 0;
      for (let i = 0; i < side; i++) sum += weights[o * side + i]! * x[row * side + i]!;
      y[row * side + o] = sum;
    }
  }
};
