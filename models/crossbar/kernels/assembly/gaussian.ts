// Gaussian numbers by counter, sixteen at a time: the analog kernel's read noise. `kernels/gaussian.ts` is the
// same arithmetic in plain TypeScript, to the last bit; a change here is a change there.

/** A word of 32 random bits in each lane: the hash "triple32" (Wellons 2018) of a counter, a second key in its middle. */
// @ts-ignore: decorator
@inline
export function hash(counter: v128, key1: v128): v128 {
  let h = v128.xor(counter, i32x4.shr_u(counter, 17));
  h = v128.xor(i32x4.mul(h, i32x4.splat(0xed5ad4bb)), key1);
  h = v128.xor(h, i32x4.shr_u(h, 11));
  h = i32x4.mul(h, i32x4.splat(0xac4c1b51));
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.mul(h, i32x4.splat(0x31848bab));
  return v128.xor(h, i32x4.shr_u(h, 14));
}

/** √(−2 ln u), u uniform in (0, 1] of 31 bits: ln by its exponent and 2·artanh(s) = 2s(1 + s²/3 + s⁴/5). */
// @ts-ignore: decorator
@inline
export function radius(word: v128): v128 {
  const u = f32x4.mul(
    f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(word, 1)), f32x4.splat(0.5)),
    f32x4.splat(4.656612873077393e-10),
  );
  const exponent = i32x4.shr_s(i32x4.sub(u, i32x4.splat(0x3f3504f3)), 23);
  const mantissa = i32x4.sub(u, i32x4.shl(exponent, 23)); // √½ … √2
  const s = f32x4.div(f32x4.sub(mantissa, f32x4.splat(1)), f32x4.add(mantissa, f32x4.splat(1)));
  const z = f32x4.mul(s, s);
  const series = f32x4.add(
    f32x4.mul(f32x4.add(f32x4.mul(z, f32x4.splat(0.8)), f32x4.splat(1.3333334)), z),
    f32x4.splat(4),
  );
  return f32x4.sqrt(
    f32x4.neg(
      f32x4.add(
        f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(1.3862944)),
        f32x4.mul(series, s),
      ),
    ),
  );
}

/** The angle in −π/4 … π/4 of the upper bits; the lowest two turn it into the other quadrants (`firstOf`, `secondOf`). */
// @ts-ignore: decorator
@inline
export function angle(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(word), f32x4.splat(3.657291e-10));
}

// @ts-ignore: decorator
@inline
export function cosine(theta: v128, word: v128): v128 {
  const z = f32x4.mul(theta, theta);
  let c = f32x4.add(f32x4.mul(z, f32x4.splat(-0.0013888889)), f32x4.splat(0.041666668));
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(-0.5));
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(1));
  return v128.xor(c, v128.and(i32x4.shl(word, 30), i32x4.splat(0x80000000)));
}

// @ts-ignore: decorator
@inline
export function sine(theta: v128): v128 {
  const z = f32x4.mul(theta, theta);
  let s = f32x4.add(f32x4.mul(z, f32x4.splat(-0.0001984127)), f32x4.splat(0.008333334));
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(-0.16666667));
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(1));
  return f32x4.mul(s, theta);
}

/** Sixteen numbers of N(0, 1) at `out`, of the counters `counter` … `counter + 15` under two keys (Box and Muller 1958). */
// @ts-ignore: decorator
@inline
export function gaussians(out: usize, counter: i32, key0: i32, key1: i32): void {
  const keys = i32x4.splat(key1);
  const step = i32x4.splat(0x9e3779b9 * 4);
  let at = i32x4.add(
    i32x4.mul(i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3)), i32x4.splat(0x9e3779b9)),
    i32x4.splat(key0),
  );
  for (let half: usize = 0; half < 64; half += 32) {
    const r = radius(hash(at, keys));
    at = i32x4.add(at, step);
    const word = hash(at, keys);
    at = i32x4.add(at, step);
    const theta = angle(word);
    const c = cosine(theta, word);
    const s = sine(theta);
    const swapped = i32x4.shr_s(i32x4.shl(word, 31), 31);
    v128.store(out + half, f32x4.mul(r, v128.bitselect(s, c, swapped)));
    v128.store(out + half, f32x4.mul(r, v128.bitselect(c, s, swapped)), 16);
  }
}
