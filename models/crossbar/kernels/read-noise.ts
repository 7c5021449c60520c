import { randomWord } from "./random-words.ts";

/**
 * Gaussian numbers by counter, sixteen a group, in integers: `assembly/read-noise.ts` in plain TypeScript.
 *
 *   u     a half of a word of 32 bits, the hash "triple32" (Wellons 2018) of a counter; odd, so that its mean is 0
 *   b(u)  = u (c₁ + c₃ u² + c₅ u⁴ + c₇ u⁶ + c₉ u⁸)                 fixed point, 15 bits behind the point
 *   ξ     = b₁ ± b₂ ± b₃ ± b₄                                       four numbers of four, by a Hadamard matrix
 *
 * The coefficients are fitted so that a sum of four is Gaussian: within 1.5e-4 of Φ everywhere, moments up to the sixth
 * within 0.2 %, its tails beyond 4 and 5 σ 0.98 and 0.70 of what they should be, and nothing beyond 6 σ. As the cumulants of b beyond
 * the second nearly vanish, the four numbers of a matrix are as good as independent. The sum of a few terms as in
 * CLT generators; the polynomial is what makes four of them enough.
 */

/** One standard deviation of the numbers. */
export const readNoiseSigma = 4096;

/** Write the numbers of group `group` under two keys of 32 bits to `out[from … from + 15]`. */
export const readNoise16 = (out: Int16Array, from: number, group: number, key0: number, key1: number): void => {
  const b = new Int16Array(16);
  for (let k = 0; k < 8; k++) {
    const word = randomWord(group * 8 + k, key0, key1);
    b[2 * k] = shape((word << 16) >> 16);
    b[2 * k + 1] = shape(word >> 16);
  }
  for (let i = 0; i < 4; i++) {
    const [b1, b2, b3, b4] = [b[i]!, b[i + 4]!, b[i + 8]!, b[i + 12]!];
    out[from + i] = b1 + b3 + (b2 + b4);
    out[from + i + 4] = b1 - b3 + (b2 - b4);
    out[from + i + 8] = b1 + b3 - (b2 + b4);
    out[from + i + 12] = b1 - b3 - (b2 - b4);
  }
};

/** c₁ … c₉ for a standard deviation of 2048. */
const coefficients = [2682, 2210, 3806, -24315, 21738] as const;

/** b(u), σ = 2048. @param half any 16 bits, signed */
const shape = (half: number): number => {
  const u = half | 1;
  const square = product(u, u);
  return product(
    coefficients.reduceRight((sum, c) => product(sum, square) + c, 0),
    u,
  );
};

/** a b / 2¹⁵, rounded, half up. */
const product = (a: number, b: number): number => (a * b + 0x4000) >> 15;
