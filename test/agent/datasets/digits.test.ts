import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PictureAugmenter } from "../../../agent/datasets/augment-digits.ts";
import { testDigits, trainingDigits } from "../../../agent/datasets/digits.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { dataDir } from "../../support/data.ts";

const still = {
  ...{ height: 28, width: 28, shiftPixels: 0, turnDegrees: 0, stretch: 0 },
  ...{ shear: 0, bendPixels: 0, bendGridPixels: 7 },
};

/** A soft blob: its mass and middle are known. */
const blob = (): Float32Array =>
  Float32Array.from({ length: 784 }, (_, i) => {
    const [u, v] = [(i % 28) - 13.5, Math.floor(i / 28) - 13.5];
    return Math.exp(-(u * u + v * v) / 18);
  });

const middleOf = (x: Float32Array): { mass: number; column: number; row: number } => {
  let [mass, column, row] = [0, 0, 0];
  x.forEach((value, i) => {
    mass += value;
    column += value * (i % 28);
    row += value * Math.floor(i / 28);
  });
  return { mass, column: column / mass, row: row / mass };
};

describe("PictureAugmenter", () => {
  it("leaves a picture as it is when nothing may change", () => {
    const out = new Float32Array(784);
    new PictureAugmenter(still).apply(blob(), new SequentialRandom(1), out);
    expect([...out]).toEqual([...blob()]);
  });

  it("moves the middle by a uniform shift: within ± 2 pixels, 2/√3 of standard deviation", () => {
    const augmenter = new PictureAugmenter({ ...still, shiftPixels: 2 });
    const [out, random] = [new Float32Array(784), new SequentialRandom(2)];
    const shifts = Array.from({ length: 400 }, () => {
      augmenter.apply(blob(), random, out);
      return middleOf(out).column - 13.5;
    });
    // Bilinear interpolation keeps first moments; the blob's tails beyond the border are 1e-4 of it.
    expect(Math.max(...shifts.map(Math.abs))).toBeLessThan(2.02);
    const deviation = Math.sqrt(shifts.reduce((sum, s) => sum + s * s, 0) / shifts.length);
    // The standard error of this deviation over 400 uniform shifts is 2.2 %.
    expect(Math.abs(deviation / (2 / Math.sqrt(3)) - 1)).toBeLessThan(0.09);
  });

  it("keeps middle and mass of a round blob that is turned, within 1 %", () => {
    const out = new Float32Array(784);
    new PictureAugmenter({ ...still, turnDegrees: 45 }).apply(blob(), new SequentialRandom(3), out);
    const { mass, column, row } = middleOf(out);
    expect(mass / middleOf(blob()).mass).toBeCloseTo(1, 2);
    expect(Math.hypot(column - 13.5, row - 13.5)).toBeLessThan(0.01);
  });

  it("bends by nodes: a bend of 1 pixel moves pixels by less than a pixel on average, and not all alike", () => {
    const ramp = Float32Array.from({ length: 784 }, (_, i) => i % 28);
    const out = new Float32Array(784);
    new PictureAugmenter({ ...still, bendPixels: 1 }).apply(ramp, new SequentialRandom(4), out);
    const inner = [...out.keys()].filter((i) => i % 28 > 5 && i % 28 < 22 && i > 168 && i < 616);
    const moves = inner.map((i) => out[i]! - ramp[i]!);
    const square = moves.reduce((sum, m) => sum + m * m, 0) / moves.length;
    // Bilinear weights of four unit normals have a mean square of (2/3)² = 0.44; 36 nodes scatter it by a third.
    expect(square).toBeGreaterThan(0.2);
    expect(square).toBeLessThan(0.9);
  });
});

describe.skipIf(dataDir === undefined)("MNIST (skipped where ../shared/data is absent)", () => {
  const folder = join(dataDir ?? "", "mnist");

  it("gives 55,000 pictures to train on, 5,000 to choose by, and test pictures apart from both", () => {
    const [training, validation] = [trainingDigits(folder, "training"), trainingDigits(folder, "validation")];
    expect([training.count, validation.count, training.height, training.width]).toEqual([55_000, 5_000, 28, 28]);
    // The first training picture is a five, as in every printed sheet of MNIST.
    expect(training.labels[0]).toBe(5);
    const test = testDigits(folder);
    expect(test.count).toBeGreaterThanOrEqual(5000);
    const keyOf = (pixels: Uint8Array, i: number) =>
      Buffer.from(pixels.subarray(i * 784, (i + 1) * 784)).toString("latin1");
    const seen = new Set(Array.from({ length: 55_000 }, (_, i) => keyOf(training.pixels, i)));
    const again = Array.from({ length: test.count }, (_, i) => keyOf(test.pixels, i)).filter((key) => seen.has(key));
    expect(again).toHaveLength(0);
  });
});
