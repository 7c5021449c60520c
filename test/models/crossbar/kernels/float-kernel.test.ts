import { describe, expect, it } from "vitest";
import { Arena } from "../../../../models/crossbar/kernels/arena.ts";
import { floatReference } from "../../../../models/crossbar/kernels/float-reference.ts";
import { floatPointers, floatSimd } from "../../../../models/crossbar/kernels/float-simd.ts";
import { SequentialRandom } from "../../../../models/random.ts";

const products = ["gemmNT", "gemmNN", "gemmTN"] as const;
// Lengths on both sides of the vector (4), the panel (16), the block of rows (128) and the block of k (256).
const lengths = [1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 64, 127, 129, 255, 256, 257, 300, 513];

const filled = (arena: Arena, length: number, random: SequentialRandom): Float32Array => {
  const array = arena.float32(length);
  for (let i = 0; i < length; i++) array[i] = random.uniform() * 2 - 1;
  return array;
};

/** Largest difference, relative to the length of the sums: rounding grows with √k, the terms are at most 1. */
const difference = (a: Float32Array, b: Float32Array, k: number): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0) / Math.sqrt(k);

describe.each(products)("%s of the SIMD kernel", (product) => {
  it("equals the reference on 120 random shapes, odd ones included, within 1e-6 · √k", () => {
    const random = new SequentialRandom(7);
    const arena = new Arena(16e6);
    const simd = floatSimd(arena);
    for (let trial = 0; trial < 120; trial++) {
      const mark = arena.mark();
      const pick = () => lengths[random.integer(trial < 100 ? 14 : lengths.length)]!;
      const [m, n, k] = [pick(), pick(), trial % 10 === 0 ? lengths[random.integer(lengths.length)]! : pick()];
      const a = filled(arena, m * k, random);
      const b = filled(arena, n * k, random);
      const c = filled(arena, m * n, random);
      const guard = filled(arena, 32, random);
      const [expected, after] = [new Float32Array(c), new Float32Array(guard)];
      const accumulate = (trial % 2) as 0 | 1;
      simd[product](a, b, c, m, n, k, accumulate);
      floatReference[product](a, b, expected, m, n, k, accumulate);
      // 2⁻²⁴ · √k a rounding walk, times 16 for the tail of 120 shapes.
      expect(difference(c, expected, k), `${m}x${n}x${k}`).toBeLessThan(1e-6);
      expect(guard, "writes nothing beyond C").toEqual(after);
      arena.release(mark);
    }
  });

  it("gives the same bits in a second arena", () => {
    const [once, twice] = [1, 2].map(() => {
      const arena = new Arena(4e6);
      const random = new SequentialRandom(3);
      const simd = floatSimd(arena);
      const [a, b, c] = [filled(arena, 77 * 91, random), filled(arena, 91 * 91, random), arena.float32(77 * 91)];
      simd[product](a, b, c, 77, 91, 91, 0);
      return c;
    });
    expect(once).toEqual(twice);
  });
});

describe("The SIMD kernel by address", () => {
  it("reads overlapping rows, so that a convolution along time is one product: a ramp under ones gives sums", () => {
    const arena = new Arena(1e6);
    const kernel = floatPointers(arena);
    const signal = arena.float32(40).map((_, i) => i);
    const x = arena.float32(40);
    x.set(signal);
    const w = arena.float32(6).fill(1);
    const y = arena.float32(18);
    // Windows of 6 floats every 2: sums 6·2t + (0 + … + 5).
    kernel.gemmNT(x.byteOffset, w.byteOffset, y.byteOffset, 18, 1, 6, 2, 6, 1, 0);
    expect([...y]).toEqual(Array.from({ length: 18 }, (_, t) => 12 * t + 15));
  });
});
