import { randomWord } from "./random-words.ts";

/**
 * Gaussian numbers by counter, sixteen a group, for training: `assembly/gaussian.ts` in plain TypeScript, each Float32 operation
 * rounded as there. Box and Muller (1958) on the hash "triple32" (Wellons 2018) of a counter, a word of 32 bits for
 * each two numbers: 20 bits for the radius, 12 for the angle. Against exact arithmetic the logarithm is within 3e-6,
 * sine and cosine within 7e-6; tails end at 5.4 σ.
 */

/** Write the numbers of group `group` under two keys of 32 bits to `out[from … from + 15]`. */
export const gaussians16 = (out: Float32Array, from: number, group: number, key0: number, key1: number): void => {
  for (let k = 0; k < 8; k++) {
    const word = randomWord(group * 8 + k, key0, key1);
    const r = radius(word);
    const t = f(f((word << 20) | 0x80000) * f(2 ** -31));
    const z = f(t * t);
    let c = f(f(z * f(-0.019095735624432564)) + f(0.2525802254676819));
    c = f(f(c * z) + f(-1.2334845066070557));
    c = f(f(c * z) + f(0.9999933242797852));
    let s = f(f(z * f(-0.004371014889329672)) + f(0.07950065284967422));
    s = f(f(s * z) + f(-0.6459259390830994));
    s = f(f(f(s * z) + f(1.5707951784133911)) * t);
    const at = from + (k >> 2) * 8 + (k & 3);
    out[at] = f(r * (word & 1 ? -c : c));
    out[at + 4] = f(r * s);
  }
};

const f = Math.fround;

const asFloat = new Float32Array(1);
const asInteger = new Int32Array(asFloat.buffer);

/** √(−2 ln u), u of the upper 20 bits: by its exponent and a polynomial of its mantissa in √½ … √2. */
const radius = (word: number): number => {
  asFloat[0] = f(word >>> 12) + 0.5; // u · 2²⁰
  const exponent = (asInteger[0]! - 0x3f3504f3) >> 23;
  asInteger[0] = asInteger[0]! - (exponent << 23);
  const x = f(asFloat[0]! - 1);
  let series = f(f(x * f(0.28641563653945923)) + f(-0.4465849697589874));
  series = f(f(series * x) + f(0.5094406008720398));
  series = f(f(series * x) + f(-0.6645197868347168));
  series = f(f(series * x) + f(0.9997016191482544));
  series = f(f(series * x) + f(-2.000025510787964));
  return f(Math.sqrt(f(f((20 - exponent) * f(1.3862943649291992)) + f(series * x))));
};
