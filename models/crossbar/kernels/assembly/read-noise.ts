// Gaussian numbers by counter, sixteen a group: the read noise. `kernels/read-noise.ts` is the same arithmetic in plain
// TypeScript, to the last bit, and says how it works; a change here is a change there.
//
// Constants are loaded before each loop, because V8 builds a constant of 128 bits anew at every use; and there are
// two short loops, because their constants and numbers then stay in registers.

/** Where they stand: the arena leaves the first 128 bytes to its kernels. */
const constants: usize = 16;

/** Write the constants, before any number is asked for. */
export function writeConstants(): void {
  const to = constants;
  store<u32>(to, 0xed5ad4bb); // hash
  store<u32>(to, 0xac4c1b51, 4);
  store<u32>(to, 0x31848bab, 8);
  store<i16>(to, 1, 12);
  store<i16>(to, 21738, 14); // the polynomial, from its highest power on
  store<i16>(to, -24315, 16);
  store<i16>(to, 3806, 18);
  store<i16>(to, 2210, 20);
  store<i16>(to, 2682, 22);
}

/** A word of 32 random bits in each lane: the hash "triple32" (Wellons 2018) of a counter, a second key in its middle. */
// @ts-ignore: decorator
@inline
function hash(counter: v128, key1: v128, m0: v128, m1: v128, m2: v128): v128 {
  let h = v128.xor(counter, i32x4.shr_u(counter, 17));
  h = v128.xor(i32x4.mul(h, m0), key1);
  h = v128.xor(h, i32x4.shr_u(h, 11));
  h = i32x4.mul(h, m1);
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.mul(h, m2);
  return v128.xor(h, i32x4.shr_u(h, 14));
}

/** `groups` of sixteen numbers at `out`, int16. Group g has the words of the counters `first + g · step + 0 … 7`. */
// @ts-ignore: decorator
@inline
export function readNoise(out: usize, groups: i32, first: i32, step: i32, key0: i32, key1: i32): void {
  words(out, groups, first, step, key0, key1);
  shape(out, groups);
}

function words(out: usize, groups: i32, first: i32, step: i32, key0: i32, key1: i32): void {
  const m0 = v128.load32_splat(constants);
  const m1 = v128.load32_splat(constants, 4);
  const m2 = v128.load32_splat(constants, 8);
  const key = i32x4.splat(key1);
  const stride = i32x4.splat(step * 0x9e3779b9);
  let a = i32x4.add(
    i32x4.mul(i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3)), i32x4.splat(0x9e3779b9)),
    i32x4.splat(key0),
  );
  let b = i32x4.add(a, i32x4.splat(0x9e3779b9 * 4));
  for (let g = 0; g < groups; g++) {
    v128.store(out, hash(a, key, m0, m1, m2));
    v128.store(out, hash(b, key, m0, m1, m2), 16);
    a = i32x4.add(a, stride);
    b = i32x4.add(b, stride);
    out += 32;
  }
}

/** Uniform halves of words to Gaussian numbers, in place. */
function shape(at: usize, groups: i32): void {
  const one = v128.load16_splat(constants, 12);
  const c9 = v128.load16_splat(constants, 14);
  const c7 = v128.load16_splat(constants, 16);
  const c5 = v128.load16_splat(constants, 18);
  const c3 = v128.load16_splat(constants, 20);
  const c1 = v128.load16_splat(constants, 22);
  for (let g = 0; g < groups; g++) {
    const u = v128.or(v128.load(at), one);
    const v = v128.or(v128.load(at, 16), one);
    const uu = i16x8.q15mulr_sat_s(u, u);
    const vv = i16x8.q15mulr_sat_s(v, v);
    let a = i16x8.add(i16x8.q15mulr_sat_s(uu, c9), c7);
    let b = i16x8.add(i16x8.q15mulr_sat_s(vv, c9), c7);
    a = i16x8.add(i16x8.q15mulr_sat_s(a, uu), c5);
    b = i16x8.add(i16x8.q15mulr_sat_s(b, vv), c5);
    a = i16x8.add(i16x8.q15mulr_sat_s(a, uu), c3);
    b = i16x8.add(i16x8.q15mulr_sat_s(b, vv), c3);
    a = i16x8.add(i16x8.q15mulr_sat_s(a, uu), c1);
    b = i16x8.add(i16x8.q15mulr_sat_s(b, vv), c1);
    a = i16x8.q15mulr_sat_s(a, u);
    b = i16x8.q15mulr_sat_s(b, v);
    const sum = i16x8.add(a, b);
    const difference = i16x8.sub(a, b);
    const low = v128.shuffle<i64>(sum, difference, 0, 2);
    const high = v128.shuffle<i64>(sum, difference, 1, 3);
    v128.store(at, i16x8.add(low, high));
    v128.store(at, i16x8.sub(low, high), 16);
    at += 32;
  }
}
