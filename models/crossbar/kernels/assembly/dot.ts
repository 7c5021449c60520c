// Sums of products of DAC codes by the weights of a panel of sixteen outputs, exact in 32 bits.

/** One row of codes by one panel of 16 outputs → 16 sums at `out`. */
// @ts-ignore: decorator
@inline
export function dot1(panel: usize, codes: usize, pairs: i32, out: usize): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  for (let k = 0; k < pairs; k++) {
    const x = v128.load32_splat(codes);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load(panel)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load(panel, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load(panel, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load(panel, 48)));
    codes += 4;
    panel += 64;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

/** As `dot1`, and in the same pass the squares by the variances → 16 sums 128 bytes after `out`. */
// @ts-ignore: decorator
@inline
export function dot1Noisy(panel: usize, variances: usize, codes: usize, squares: usize, pairs: i32, out: usize): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let v0 = i32x4.splat(0);
  let v1 = i32x4.splat(0);
  let v2 = i32x4.splat(0);
  let v3 = i32x4.splat(0);
  for (let k = 0; k < pairs; k++) {
    const x = v128.load32_splat(codes);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load(panel)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load(panel, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load(panel, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load(panel, 48)));
    const z = v128.load32_splat(squares);
    v0 = i32x4.add(v0, i32x4.dot_i16x8_s(z, v128.load8x8_u(variances)));
    v1 = i32x4.add(v1, i32x4.dot_i16x8_s(z, v128.load8x8_u(variances, 8)));
    v2 = i32x4.add(v2, i32x4.dot_i16x8_s(z, v128.load8x8_u(variances, 16)));
    v3 = i32x4.add(v3, i32x4.dot_i16x8_s(z, v128.load8x8_u(variances, 24)));
    codes += 4;
    squares += 4;
    panel += 64;
    variances += 32;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, v0, 128);
  v128.store(out, v1, 144);
  v128.store(out, v2, 160);
  v128.store(out, v3, 176);
}

/** Two rows, `rowBytes` apart, by one panel → 2 × 16 sums at `out`: each weight is loaded once. */
// @ts-ignore: decorator
@inline
export function dot2(panel: usize, codes: usize, rowBytes: usize, pairs: i32, out: usize): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let t0 = i32x4.splat(0);
  let t1 = i32x4.splat(0);
  let t2 = i32x4.splat(0);
  let t3 = i32x4.splat(0);
  let second = codes + rowBytes;
  for (let k = 0; k < pairs; k++) {
    const x = v128.load32_splat(codes);
    const z = v128.load32_splat(second);
    const w0 = v128.load(panel);
    const w1 = v128.load(panel, 16);
    const w2 = v128.load(panel, 32);
    const w3 = v128.load(panel, 48);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, w0));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(z, w0));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, w1));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(z, w1));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, w2));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(z, w2));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, w3));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(z, w3));
    codes += 4;
    second += 4;
    panel += 64;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, t0, 64);
  v128.store(out, t1, 80);
  v128.store(out, t2, 96);
  v128.store(out, t3, 112);
}

/** As `dot2`, of squares by variances. */
// @ts-ignore: decorator
@inline
export function dot2Variances(panel: usize, codes: usize, rowBytes: usize, pairs: i32, out: usize): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let t0 = i32x4.splat(0);
  let t1 = i32x4.splat(0);
  let t2 = i32x4.splat(0);
  let t3 = i32x4.splat(0);
  let second = codes + rowBytes;
  for (let k = 0; k < pairs; k++) {
    const x = v128.load32_splat(codes);
    const z = v128.load32_splat(second);
    const w0 = v128.load8x8_u(panel);
    const w1 = v128.load8x8_u(panel, 8);
    const w2 = v128.load8x8_u(panel, 16);
    const w3 = v128.load8x8_u(panel, 24);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, w0));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(z, w0));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, w1));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(z, w1));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, w2));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(z, w2));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, w3));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(z, w3));
    codes += 4;
    second += 4;
    panel += 32;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, t0, 64);
  v128.store(out, t1, 80);
  v128.store(out, t2, 96);
  v128.store(out, t3, 112);
}
