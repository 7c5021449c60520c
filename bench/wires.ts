import { CrossbarArray } from "../models/crossbar/array.ts";
import { pcmNandakumar2019 } from "../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../models/crossbar/kernels/arena.ts";
import { effectiveMatrix } from "../models/crossbar/wires/effective-matrix.ts";
import type { PairWires } from "../models/crossbar/wires/pair-wires.ts";
import { SequentialRandom } from "../models/random.ts";
import { compare, printTable, quartiles, type Way } from "./timing.ts";

/** aihwkit's wire of 0.35 Ω a segment. */
const wires: PairWires = { wordLineOhm: 0.35, bitLineOhm: 0.35, layout: "separate" };

/**
 * Print the seconds that the effective matrix of a square crossbar takes, then what a product behind wires costs (DAC 8,
 * ADC 8, tiles of 256 × 256, read noise on), as a multiple of the same product without them: the matrix is made once.
 */
export const run = async (): Promise<void> => {
  const random = new SequentialRandom(1);
  for (const [side, rounds] of [
    [64, 15],
    [128, 9],
    [256, 3],
  ] as const) {
    const siemens = Float64Array.from({ length: side * side }, () => 25e-6 * random.uniform());
    const seconds = Array.from({ length: rounds }, () => {
      const start = performance.now();
      effectiveMatrix(siemens, side, side, wires);
      return (performance.now() - start) / 1000;
    });
    const { lower, median, upper } = quartiles(seconds);
    const title = `effective matrix ${side} × ${side}, s`;
    if (process.argv.includes("--json")) console.log(JSON.stringify({ title, lower, median, upper }));
    else console.log(`${title.padEnd(34)} ${median.toFixed(4)} (${lower.toFixed(4)} … ${upper.toFixed(4)})`);
  }
  for (const side of [128, 256]) {
    printTable(
      `${side} × ${side}, batch 1`,
      "a product",
      await compare(waysFor(side), { rounds: 75, millisecondsEach: 4 }),
    );
  }
};

const waysFor = (side: number): Way[] => {
  const arena = new Arena(24 * side * side + 64 * side + 1e6);
  const random = new SequentialRandom(2);
  const weights = Float32Array.from({ length: side * side }, () => 2 * random.uniform() - 1);
  const [x, y] = [arena.float32(side), arena.float32(side)];
  for (let i = 0; i < side; i++) x[i] = 2 * random.uniform() - 1;
  const sizes = { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, inputMax: 1, maxBatch: 1, seed: 1 };
  const spec = { ...sizes, device: pcmNandakumar2019, kernel: "simd" as const };
  const free = new CrossbarArray(weights, side, side, { ...spec, arrayId: 0 }, arena);
  const wired = new CrossbarArray(weights, side, side, { ...spec, arrayId: 1, wires }, arena);
  let inference = 0;
  return [
    { name: "without wires", call: () => free.mvm(x, y, 1, inference++) },
    { name: "behind wires, exact", call: () => wired.mvm(x, y, 1, inference++) },
  ];
};
