/**
 * Gaussian numbers by counter, sixteen at a time: `assembly/gaussian.ts` in plain TypeScript, each Float32
 * operation rounded as there. Box and Muller (1958) on the hash "triple32" (Wellons 2018) of a counter.
 * Against exact arithmetic the logarithm is within 2e-6 and sine and cosine within 4e-6; tails end at 6.6 σ.
 */

/** Write the numbers of counters `counter … counter + 15` (a multiple of 16) under two keys of 32 bits to `out[from …]`. */
export const gaussians16 = (out: Float32Array, from: number, counter: number, key0: number, key1: number): void => {
  for (let half = 0; half < 2; half++) {
    for (let lane = 0; lane < 4; lane++) {
      const at = (Math.imul(counter + half * 8 + lane, GOLDEN) + key0) | 0;
      const r = radius(hash(at, key1));
      const word = hash((at + Math.imul(GOLDEN, 4)) | 0, key1);
      const theta = f(f(word) * f(3.657291e-10));
      const z = f(theta * theta);
      let c = f(f(z * f(-0.0013888889)) + f(0.041666668));
      c = f(f(c * z) + f(-0.5));
      c = f(f(c * z) + 1);
      if (word & 2) c = -c;
      let s = f(f(z * f(-0.0001984127)) + f(0.008333334));
      s = f(f(s * z) + f(-0.16666667));
      s = f(f(s * z) + 1);
      s = f(s * theta);
      const swapped = word & 1;
      out[from + half * 8 + lane] = f(r * (swapped ? s : c));
      out[from + half * 8 + 4 + lane] = f(r * (swapped ? c : s));
    }
  }
};

const GOLDEN = 0x9e3779b9;
const f = Math.fround;

const hash = (counter: number, key1: number): number => {
  let h = counter ^ (counter >>> 17);
  h = Math.imul(h, 0xed5ad4bb) ^ key1;
  h ^= h >>> 11;
  h = Math.imul(h, 0xac4c1b51);
  h ^= h >>> 15;
  h = Math.imul(h, 0x31848bab);
  return h ^ (h >>> 14);
};

const asFloat = new Float32Array(1);
const asInteger = new Int32Array(asFloat.buffer);

/** √(−2 ln u), u uniform in (0, 1] of 31 bits: ln by its exponent and 2·artanh(s) = 2s(1 + s²/3 + s⁴/5). */
const radius = (word: number): number => {
  asFloat[0] = f(f(f(word >>> 1) + 0.5) * f(4.656612873077393e-10));
  const exponent = (asInteger[0]! - 0x3f3504f3) >> 23;
  asInteger[0] = asInteger[0]! - (exponent << 23);
  const mantissa = asFloat[0]!; // √½ … √2
  const s = f(f(mantissa - 1) / f(mantissa + 1));
  const z = f(s * s);
  const series = f(f(f(f(z * f(0.8)) + f(1.3333334)) * z) + 4);
  return f(Math.sqrt(-f(f(exponent * f(1.3862944)) + f(series * s))));
};
