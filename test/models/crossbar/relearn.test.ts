import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import type { DeviceModel } from "../../../models/crossbar/devices/device.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { relearn, weightMaxOf } from "../../../models/crossbar/relearn.ts";
import { SequentialRandom } from "../../../models/random.ts";

const [outputs, inputs] = [7, 300]; // two tiles of 150 inputs
const random = new SequentialRandom(1);
const weights = Float32Array.from({ length: outputs * inputs }, () => 0.2 * random.gaussian());
const arena = new Arena(2 ** 22);
const arrayOf = (more: Partial<ArraySpec> = {}, state?: ReturnType<CrossbarArray["state"]>) =>
  new CrossbarArray(
    weights,
    ...([outputs, inputs] as const),
    {
      ...{ device: ideal, dacBits: 12, adcBits: 14, tileInputs: 256, tileOutputs: 256, inputMax: 1, seed: 1 },
      ...{ arrayId: 0, maxBatch: 1, kernel: "reference", ...more },
    },
    arena,
    state,
  );
const x = arena.float32(inputs);
x.set(Float32Array.from({ length: inputs }, () => Math.abs(random.gaussian()) / 4));
const y = arena.float32(outputs);
const productOf = (array: CrossbarArray, inference = 0): Float32Array => {
  array.mvm(x, y, 1, inference);
  return y.slice();
};
const exact = (matrix: Float32Array) =>
  Float32Array.from({ length: outputs }, (_, o) => x.reduce((sum, v, i) => sum + matrix[o * inputs + i]! * v, 0));
/** Weights of output 2 all a tenth of the largest further up, as far as the range goes; those of output 5 half. */
const learnedOf = (array: CrossbarArray) => {
  const most = weightMaxOf({ array, weights, device: ideal });
  return weights.map((w, p) => {
    if (Math.floor(p / inputs) === 2) return Math.min(most[p]!, w + 0.1 * most[p]!);
    return Math.floor(p / inputs) === 5 ? w / 2 : w;
  });
};
const relearned = (array: CrossbarArray, to: Float32Array, device: DeviceModel = ideal) =>
  relearn({ array, weights, device }, to, { acceptanceSiemens: 0.02 * device.gMaxSiemens, maxPulses: 10 });
const targetsOf = (array: CrossbarArray) => array.tiles.map((tile) => tile.targetsSiemens().slice());

describe("An array that holds other weights", () => {
  it("multiplies by them, and writes the devices that they move and no others", () => {
    const array = arrayOf();
    const learned = learnedOf(array);
    const counts = relearned(array, learned);
    for (const [o, value] of productOf(array).entries()) expect(value).toBeCloseTo(exact(learned)[o]!, 1);
    expect(Math.abs(productOf(array)[2]! - exact(weights)[2]!)).toBeGreaterThan(0.5);
    for (const [t, { is, devices }] of array.tiles.map((is, n) => ({ is, devices: counts[n]!.devices })).entries()) {
      const again = is.state().cells.writes.reduce((sum, writes) => sum + writes - 1, 0);
      expect(again).toBe(devices);
      // At most both devices of each pair of two outputs of seven.
      expect(devices, `tile ${t}`).toBeLessThanOrEqual(2 * 2 * 150);
      expect(devices).toBeGreaterThan(2 * 150 - 20);
    }
  });

  it("goes back to the trained ones exactly: targets, products, response to drift", () => {
    const array = arrayOf();
    const [before, product] = [targetsOf(array), productOf(array)];
    const responses = () => array.tiles.flatMap((tile) => [...tile.state().programmedResponse]);
    const first = responses();
    relearned(array, learnedOf(array));
    expect(targetsOf(array)).not.toEqual(before);
    relearned(array, weights);
    expect(targetsOf(array)).toEqual(before);
    expect(productOf(array)).toEqual(product);
    for (const [o, value] of responses().entries()) expect(value / first[o]!).toBeCloseTo(1, 12);
  });

  it("is not taken for drift: α of a drifted tile stays within 1 % when it is calibrated anew", () => {
    const array = arrayOf({ device: pcmNandakumar2019, adcBits: 8, dacBits: 8 });
    array.ageTo(86_400);
    array.calibrate("per-column");
    const before = array.tiles.map(({ alpha }) => alpha);
    relearned(array, learnedOf(array), pcmNandakumar2019);
    array.calibrate("per-column");
    array.tiles.forEach(({ alpha }, t) => {
      for (const [o, factor] of alpha.entries()) expect(Math.abs(factor / before[t]![o]! - 1)).toBeLessThan(0.01);
    });
    const learned = exact(learnedOf(array));
    // By noise alone: 1 µS of 25 on 300 devices, inputs of 1/4.
    for (const [o, value] of productOf(array).entries()) expect(Math.abs(value - learned[o]!)).toBeLessThan(0.5);
  });

  it("goes on from its state bit for bit, and a state without learning has none of it", () => {
    const array = arrayOf({ device: pcmNandakumar2019 });
    expect(array.state().tiles.some((tile) => tile.weightSiemens !== undefined)).toBe(false);
    relearned(array, learnedOf(array), pcmNandakumar2019);
    array.ageTo(1e6);
    const again = arrayOf({ device: pcmNandakumar2019 }, array.state());
    expect(productOf(again, 5)).toEqual(productOf(array, 5));
    expect(again.tiles[0]!.targetsSiemens("weights")).toEqual(array.tiles[0]!.targetsSiemens("weights"));
    relearned(again, weights, pcmNandakumar2019);
    const fresh = arrayOf({ device: pcmNandakumar2019 });
    expect(again.tiles.map((tile) => tile.targetsSiemens("weights"))).toEqual(
      fresh.tiles.map((tile) => tile.targetsSiemens("weights")),
    );
  });

  it("does single products out of any memory, and says what the last one took", () => {
    const array = arrayOf();
    expect(() => array.lastInput()).toThrow("lastInput: expected a product before, got none");
    const whole = productOf(array, 3);
    expect(array.lastInput()).toEqual(x.slice());
    const out = new Float32Array(outputs);
    array.multiply(x.slice(), out, 3);
    expect(out).toEqual(whole);
  });
});
