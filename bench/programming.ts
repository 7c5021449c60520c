import { CrossbarArray } from "../models/crossbar/array.ts";
import type { ArraySpec } from "../models/crossbar/array-spec.ts";
import { pcmNandakumar2019 } from "../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../models/crossbar/kernels/arena.ts";
import type { ArrayState } from "../models/crossbar/tile-state.ts";
import { SequentialRandom } from "../models/random.ts";

const side = 256;
const weights = new Float32Array(side * side);
const random = new SequentialRandom(1);
for (let p = 0; p < weights.length; p++) weights[p] = random.gaussian();

const makeOne = (spec: Partial<ArraySpec> = {}, state?: ArrayState): CrossbarArray =>
  new CrossbarArray(
    weights,
    side,
    side,
    {
      ...{ device: pcmNandakumar2019, dacBits: 8, adcBits: 8, tileInputs: side, tileOutputs: side, inputMax: 1 },
      ...{ seed: 1, arrayId: 0, maxBatch: 1, kernel: "simd" as const },
      ...spec,
    },
    new Arena(2e6),
    state,
  );

/**
 * Print what it costs to program, age, rewrite, put away and take out a tile of 256 × 256 pairs: the least of five runs.
 * Write and verify: to ±0.5 µS, 2 % of the range, in at most 20 pulses a device.
 */
export const run = (): void => {
  const verify = { acceptanceSiemens: 0.5e-6, maxPulses: 20 };
  const plain = makeOne();
  const slow = makeOne({ slowNoise: true });
  const state = plain.state();
  const worst = Array.from({ length: 1311 }, (_, k) => 100 * k); // one in a hundred
  let age = 86_400;
  const times: readonly (readonly [name: string, work: () => unknown])[] = [
    ["one pulse a device", () => makeOne()],
    ["write and verify", () => makeOne({ verify })],
    ["taken out of a state", () => makeOne({}, state)],
    ["brought to an age", () => plain.ageTo(age++)],
    ["the same, slow noise followed", () => slow.ageTo(age++)],
    ["one device in a hundred rewritten", () => plain.tiles[0]!.rewrite(worst, verify)],
    ["every device read by itself", () => plain.tiles[0]!.readDevices(age++)],
    ["one-hot calibration", () => plain.calibrate("global")],
  ];
  for (const [name, work] of times) {
    let least = Infinity;
    for (let k = 0; k < 5; k++) {
      const from = performance.now();
      work();
      least = Math.min(least, performance.now() - from);
    }
    process.stdout.write(`${name.padEnd(36)}${least.toFixed(1).padStart(8)} ms\n`);
  }
  const { devices, pulses, outside, seconds } = makeOne({ verify }).tiles[0]!.programmed;
  process.stdout.write(
    `write and verify: ${devices} devices, ${pulses} pulses, ${outside} outside, ${seconds.toFixed(2)} s on the chip\n`,
  );
};
