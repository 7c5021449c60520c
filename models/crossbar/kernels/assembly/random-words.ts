// Random words by counter, for Gaussian numbers. `kernels/random-words.ts` is the same in plain TypeScript.

/** Where the factors of the hash stand: the arena leaves the first 128 bytes to its kernels. What follows them is free. */
export const constants: usize = 16;

/** Write the factors, before any word is asked for. */
export function writeFactors(): void {
  store<u32>(constants, 0xed5ad4bb);
  store<u32>(constants, 0xac4c1b51, 4);
  store<u32>(constants, 0x31848bab, 8);
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

/**
 * `groups` of eight words at `out`, each four of them `apart` bytes after the four before. Group g has the words of the
 * counters `first + g · step + 0 … 7`.
 */
export function words(out: usize, apart: usize, groups: i32, first: i32, step: i32, key0: i32, key1: i32): void {
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
    v128.store(out + apart, hash(b, key, m0, m1, m2));
    a = i32x4.add(a, stride);
    b = i32x4.add(b, stride);
    out += apart << 1;
  }
}
