// Gaussian numbers by counter, sixteen a group: the read noise. `kernels/read-noise.ts` is the same arithmetic in plain
// TypeScript, to the last bit, and says how it works; a change here is a change there.
//
// Constants are loaded before each loop, because V8 builds a constant of 128 bits anew at every use; and there are
// two short loops, because their constants and numbers then stay in registers.
import { constants, words, writeFactors } from "./random-words";

/** Write the constants, before any number is asked for. */
export function writeConstants(): void {
  const to = constants;
  writeFactors();
  store<i16>(to, 1, 12);
  store<i16>(to, 21738, 14); // the polynomial, from its highest power on
  store<i16>(to, -24315, 16);
  store<i16>(to, 3806, 18);
  store<i16>(to, 2210, 20);
  store<i16>(to, 2682, 22);
}

/** `groups` of sixteen numbers at `out`, int16. Group g has the words of the counters `first + g · step + 0 … 7`. */
// @ts-ignore: decorator
@inline
export function readNoise(out: usize, groups: i32, first: i32, step: i32, key0: i32, key1: i32): void {
  words(out, 16, groups, first, step, key0, key1);
  shape(out, groups);
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
