// Gaussian numbers by counter, sixteen a group: the noise of training. `kernels/gaussian.ts` is the same
// arithmetic in plain TypeScript, to the last bit; a change here is a change there.
//
// Constants are loaded before each loop, because V8 builds a constant of 128 bits anew at every use; and there are
// three short loops, because their constants and numbers then stay in registers.
import { constants, words, writeFactors } from "./random-words";

/** Write the constants, before any number is asked for. */
export function writeConstants(): void {
  const to = constants;
  writeFactors();
  store<f32>(to, 0.5, 12); // radius
  store<u32>(to, 0x3f3504f3, 16); // √½
  store<f32>(to, 1, 20);
  store<f32>(to, 1.3862943649291992, 24); // 2 ln 2
  store<f32>(to, 0.28641563653945923, 28); // −2 ln(1 + f) / f
  store<f32>(to, -0.4465849697589874, 32);
  store<f32>(to, 0.5094406008720398, 36);
  store<f32>(to, -0.6645197868347168, 40);
  store<f32>(to, 0.9997016191482544, 44);
  store<f32>(to, -2.000025510787964, 48);
  store<f32>(to, 4.656612873077393e-10, 52); // 2⁻³¹
  store<f32>(to, -0.019095735624432564, 56); // cos(π t / 2)
  store<f32>(to, 0.2525802254676819, 60);
  store<f32>(to, -1.2334845066070557, 64);
  store<f32>(to, 0.9999933242797852, 68);
  store<f32>(to, -0.004371014889329672, 72); // sin(π t / 2) / t
  store<f32>(to, 0.07950065284967422, 76);
  store<f32>(to, -0.6459259390830994, 80);
  store<f32>(to, 1.5707951784133911, 84);
  store<u32>(to, 0x80000, 88); // half a step of the angle
}

/**
 * `groups` of sixteen numbers of N(0, 1) at `out` (Box and Muller 1958), a word of 32 bits for each two: twenty bits
 * of it are the radius √(−2 ln u), twelve the angle. Group g has the words of the counters `first + g · step + 0 … 7`.
 */
// @ts-ignore: decorator
@inline
export function gaussians(out: usize, groups: i32, first: i32, step: i32, key0: i32, key1: i32): void {
  words(out, 32, groups, first, step, key0, key1);
  radii(out, groups << 1);
  turn(out, groups << 1);
}

/** √(−2 ln u) of each word, after it: the exponent of u, and a polynomial of its mantissa in √½ … √2. */
function radii(out: usize, vectors: i32): void {
  const half = v128.load32_splat(constants, 12);
  const lowest = v128.load32_splat(constants, 16);
  const one = v128.load32_splat(constants, 20);
  const scale = v128.load32_splat(constants, 24);
  const c5 = v128.load32_splat(constants, 28);
  const c4 = v128.load32_splat(constants, 32);
  const c3 = v128.load32_splat(constants, 36);
  const c2 = v128.load32_splat(constants, 40);
  const c1 = v128.load32_splat(constants, 44);
  const c0 = v128.load32_splat(constants, 48);
  for (let i = 0; i < vectors; i++) {
    const u = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(v128.load(out), 12)), half); // · 2⁻²⁰
    const exponent = i32x4.shr_s(i32x4.sub(u, lowest), 23);
    const f = f32x4.sub(i32x4.sub(u, i32x4.shl(exponent, 23)), one);
    let series = f32x4.add(f32x4.mul(f, c5), c4);
    series = f32x4.add(f32x4.mul(series, f), c3);
    series = f32x4.add(f32x4.mul(series, f), c2);
    series = f32x4.add(f32x4.mul(series, f), c1);
    series = f32x4.add(f32x4.mul(series, f), c0);
    const whole = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(i32x4.splat(20), exponent)), scale);
    v128.store(out, f32x4.sqrt(f32x4.add(whole, f32x4.mul(series, f))), 16);
    out += 32;
  }
}

/** Words and radii to four cosines, their sign the lowest bit, and four sines of angles in ±π/2, times the radii. */
function turn(out: usize, vectors: i32): void {
  const unit = v128.load32_splat(constants, 52);
  const c3 = v128.load32_splat(constants, 56);
  const c2 = v128.load32_splat(constants, 60);
  const c1 = v128.load32_splat(constants, 64);
  const c0 = v128.load32_splat(constants, 68);
  const s3 = v128.load32_splat(constants, 72);
  const s2 = v128.load32_splat(constants, 76);
  const s1 = v128.load32_splat(constants, 80);
  const s0 = v128.load32_splat(constants, 84);
  const half = v128.load32_splat(constants, 88);
  for (let i = 0; i < vectors; i++) {
    const word = v128.load(out);
    const r = v128.load(out, 16);
    const t = f32x4.mul(f32x4.convert_i32x4_s(v128.or(i32x4.shl(word, 20), half)), unit);
    const z = f32x4.mul(t, t);
    let c = f32x4.add(f32x4.mul(z, c3), c2);
    let s = f32x4.add(f32x4.mul(z, s3), s2);
    c = f32x4.add(f32x4.mul(c, z), c1);
    s = f32x4.add(f32x4.mul(s, z), s1);
    c = f32x4.add(f32x4.mul(c, z), c0);
    s = f32x4.mul(f32x4.add(f32x4.mul(s, z), s0), t);
    v128.store(out, f32x4.mul(r, v128.xor(c, i32x4.shl(word, 31))));
    v128.store(out, f32x4.mul(r, s), 16);
    out += 32;
  }
}
