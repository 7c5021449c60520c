// kernel
// Products of Float32 matrices in WebAssembly SIMD. Pointers are byte addresses in the imported memory.
//
// One micro-kernel does all three products: 2 rows × 16 columns of C, over at most 256 values of k. It wants
// A as rows and B as a panel `[k][16]`, so both are packed block by block into `scratch`. More rows or columns
// would not do better: V8 has 15 vector registers, and 8 sums + 4 of B + 2 of A fill them.
//
// Each C is summed in the order of k, in blocks; the result does not depend on anything but the operands.
const COLUMNS: i32 = 16;
const K_BLOCK: i32 = 256;
const M_BLOCK: i32 = 128;

/** Where the panel of B, the block of A and a tile of C for ragged edges are packed: `scratchBytes()` bytes. */
let panel: usize = 0;
let block: usize = 0;
let edge: usize = 0;

export function scratchBytes(): i32 {
  return (K_BLOCK * COLUMNS + M_BLOCK * K_BLOCK + 2 * COLUMNS) * 4;
}

export function setScratch(at: usize): void {
  panel = at;
  block = panel + K_BLOCK * COLUMNS * 4;
  edge = block + M_BLOCK * K_BLOCK * 4;
}

/** C[m×n] (+)= A[m×k] · B[n×k]ᵀ, rows of A `lda` floats apart, of B `ldb`, of C `ldc`. */
export function gemmNT(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32, accumulate: i32): void {
  if (m == 1) {
    rowByTransposed(a, b, c, n, k, ldb, accumulate);
    return;
  }
  const size = blockSize(k);
  for (let p = 0; p < k; p += size) {
    const depth = min(size, k - p);
    for (let j = 0; j < n; j += COLUMNS) {
      const width = min(COLUMNS, n - j);
      packTransposed(b + ((j * ldb + p) << 2), ldb, width, depth);
      rows(a + (p << 2), c + (j << 2), m, width, depth, lda, ldc, accumulate | i32(p > 0));
    }
  }
}

/** C[m×n] (+)= A[m×k] · B[k×n]. */
export function gemmNN(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32, accumulate: i32): void {
  const size = blockSize(k);
  for (let p = 0; p < k; p += size) {
    const depth = min(size, k - p);
    for (let j = 0; j < n; j += COLUMNS) {
      const width = min(COLUMNS, n - j);
      packStraight(b + ((p * ldb + j) << 2), ldb, width, depth);
      rows(a + (p << 2), c + (j << 2), m, width, depth, lda, ldc, accumulate | i32(p > 0));
    }
  }
}

/** C[m×n] (+)= A[k×m]ᵀ · B[k×n]. */
export function gemmTN(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, lda: i32, ldb: i32, ldc: i32, accumulate: i32): void {
  const size = blockSize(k);
  for (let p = 0; p < k; p += size) {
    const depth = min(size, k - p);
    for (let i = 0; i < m; i += M_BLOCK) {
      const height = min(M_BLOCK, m - i);
      transpose(a + ((p * lda + i) << 2), lda, height, depth);
      for (let j = 0; j < n; j += COLUMNS) {
        const width = min(COLUMNS, n - j);
        packStraight(b + ((p * ldb + j) << 2), ldb, width, depth);
        rows(block, c + ((i * ldc + j) << 2), height, width, depth, depth, ldc, accumulate | i32(p > 0));
      }
    }
  }
}

/** Blocks of k of nearly the same length, so that none is too short to be worth its tile of C. */
function blockSize(k: i32): i32 {
  const blocks = (k + K_BLOCK - 1) / K_BLOCK;
  return (k + blocks - 1) / blocks;
}

/** All rows of A by the panel. */
function rows(a: usize, c: usize, m: i32, width: i32, depth: i32, lda: i32, ldc: i32, accumulate: i32): void {
  const rowA = <usize>lda << 2;
  const rowC = <usize>ldc << 2;
  if (width == COLUMNS) {
    let i = 0;
    for (; i + 1 < m; i += 2) {
      twoRows(a, a + rowA, c, c + rowC, depth, accumulate);
      a += rowA << 1;
      c += rowC << 1;
    }
    if (i < m) oneRow(a, c, depth, accumulate);
    return;
  }
  let i = 0;
  for (; i + 1 < m; i += 2) {
    twoRows(a, a + rowA, edge, edge + 64, depth, 0);
    spill(edge, c, width, accumulate);
    spill(edge + 64, c + rowC, width, accumulate);
    a += rowA << 1;
    c += rowC << 1;
  }
  if (i < m) {
    oneRow(a, edge, depth, 0);
    spill(edge, c, width, accumulate);
  }
}

function spill(from: usize, to: usize, width: i32, accumulate: i32): void {
  for (let j = 0; j < width; j++) {
    const value = load<f32>(from + (j << 2));
    const at = to + (j << 2);
    store<f32>(at, accumulate ? load<f32>(at) + value : value);
  }
}

function twoRows(a0: usize, a1: usize, c0: usize, c1: usize, depth: i32, accumulate: i32): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s03 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s13 = s00;
  let b = panel;
  const end = b + (<usize>depth << 6);
  while (b < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const x = v128.load_splat<f32>(a0);
    s00 = f32x4.add(s00, f32x4.mul(x, b0));
    s01 = f32x4.add(s01, f32x4.mul(x, b1));
    s02 = f32x4.add(s02, f32x4.mul(x, b2));
    s03 = f32x4.add(s03, f32x4.mul(x, b3));
    const y = v128.load_splat<f32>(a1);
    s10 = f32x4.add(s10, f32x4.mul(y, b0));
    s11 = f32x4.add(s11, f32x4.mul(y, b1));
    s12 = f32x4.add(s12, f32x4.mul(y, b2));
    s13 = f32x4.add(s13, f32x4.mul(y, b3));
    a0 += 4;
    a1 += 4;
    b += 64;
  }
  if (accumulate) {
    s00 = f32x4.add(s00, v128.load(c0));
    s01 = f32x4.add(s01, v128.load(c0, 16));
    s02 = f32x4.add(s02, v128.load(c0, 32));
    s03 = f32x4.add(s03, v128.load(c0, 48));
    s10 = f32x4.add(s10, v128.load(c1));
    s11 = f32x4.add(s11, v128.load(c1, 16));
    s12 = f32x4.add(s12, v128.load(c1, 32));
    s13 = f32x4.add(s13, v128.load(c1, 48));
  }
  v128.store(c0, s00);
  v128.store(c0, s01, 16);
  v128.store(c0, s02, 32);
  v128.store(c0, s03, 48);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c1, s12, 32);
  v128.store(c1, s13, 48);
}

function oneRow(a: usize, c: usize, depth: i32, accumulate: i32): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let b = panel;
  const end = b + (<usize>depth << 6);
  while (b < end) {
    const x = v128.load_splat<f32>(a);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(b, 48)));
    a += 4;
    b += 64;
  }
  if (accumulate) {
    s0 = f32x4.add(s0, v128.load(c));
    s1 = f32x4.add(s1, v128.load(c, 16));
    s2 = f32x4.add(s2, v128.load(c, 32));
    s3 = f32x4.add(s3, v128.load(c, 48));
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
  v128.store(c, s2, 32);
  v128.store(c, s3, 48);
}

/** One row of A by rows of B: dot products, because packing B would cost as much as the product. */
function rowByTransposed(a: usize, b: usize, c: usize, n: i32, k: i32, ldb: i32, accumulate: i32): void {
  const whole = k & ~3;
  for (let j = 0; j < n; j++) {
    const row = b + (<usize>(j * ldb) << 2);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let p = 0;
    for (; p + 8 <= whole; p += 8) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(a + (p << 2)), v128.load(row + (p << 2))));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(a + (p << 2), 16), v128.load(row + (p << 2), 16)));
    }
    if (p < whole) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(a + (p << 2)), v128.load(row + (p << 2))));
      p += 4;
    }
    s0 = f32x4.add(s0, s1);
    let sum =
      f32x4.extract_lane(s0, 0) + f32x4.extract_lane(s0, 1) + (f32x4.extract_lane(s0, 2) + f32x4.extract_lane(s0, 3));
    for (; p < k; p++) sum += load<f32>(a + (p << 2)) * load<f32>(row + (p << 2));
    const at = c + (j << 2);
    store<f32>(at, accumulate ? load<f32>(at) + sum : sum);
  }
}

/** panel[p][j] = B[p][j], zero beyond `width`. */
function packStraight(b: usize, ldb: i32, width: i32, depth: i32): void {
  const row = <usize>ldb << 2;
  let to = panel;
  if (width == COLUMNS) {
    for (let p = 0; p < depth; p++) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
      v128.store(to, v128.load(b, 32), 32);
      v128.store(to, v128.load(b, 48), 48);
      b += row;
      to += 64;
    }
    return;
  }
  for (let p = 0; p < depth; p++) {
    for (let j = 0; j < COLUMNS; j++) store<f32>(to + (j << 2), j < width ? load<f32>(b + (j << 2)) : 0);
    b += row;
    to += 64;
  }
}

/** panel[p][j] = B[j][p], zero beyond `width`. */
function packTransposed(b: usize, ldb: i32, width: i32, depth: i32): void {
  const row = <usize>ldb << 2;
  for (let j = 0; j < COLUMNS; j += 4) {
    const from = b + <usize>j * row;
    const to = panel + (j << 2);
    if (j + 4 <= width) {
      turn4(from, row, to, 64, depth);
    } else {
      for (let r = 0; r < 4; r++) {
        for (let p = 0; p < depth; p++) {
          store<f32>(to + (r << 2) + (p << 6), j + r < width ? load<f32>(from + <usize>r * row + (p << 2)) : 0);
        }
      }
    }
  }
}

/** block[i][p] = A[p][i]. */
function transpose(a: usize, lda: i32, height: i32, depth: i32): void {
  const from = <usize>lda << 2;
  const to = <usize>depth << 2;
  let p = 0;
  for (; p + 4 <= depth; p += 4) turn4(a + <usize>p * from, from, block + (p << 2), to, height);
  for (; p < depth; p++) {
    for (let i = 0; i < height; i++) store<f32>(block + <usize>i * to + (p << 2), load<f32>(a + <usize>p * from + (i << 2)));
  }
}

/** Four rows of `count` floats, `rowFrom` bytes apart, become `count` rows of four, `rowTo` bytes apart. */
function turn4(from: usize, rowFrom: usize, to: usize, rowTo: usize, count: i32): void {
  const f1 = from + rowFrom;
  const f2 = f1 + rowFrom;
  const f3 = f2 + rowFrom;
  let p = 0;
  for (; p + 4 <= count; p += 4) {
    const at = <usize>p << 2;
    const r0 = v128.load(from + at);
    const r1 = v128.load(f1 + at);
    const r2 = v128.load(f2 + at);
    const r3 = v128.load(f3 + at);
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
    v128.store(to + rowTo, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
    v128.store(to + 2 * rowTo, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
    v128.store(to + 3 * rowTo, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
    to += rowTo << 2;
  }
  for (; p < count; p++) {
    const at = <usize>p << 2;
    store<f32>(to, load<f32>(from + at));
    store<f32>(to, load<f32>(f1 + at), 4);
    store<f32>(to, load<f32>(f2 + at), 8);
    store<f32>(to, load<f32>(f3 + at), 12);
    to += rowTo;
  }
}
