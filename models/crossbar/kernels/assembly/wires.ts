// kernel
// The loops of `wires/effective-matrix.ts` in WebAssembly SIMD. Arrays are byte addresses of Float64 in the imported
// memory. Each number is made by the same operations in the same order as by the plain loops: the same bits.

/** Take `factor` times `row` off `a`, n numbers each. */
@inline
function subtract(a: usize, row: usize, n: i32, factor: f64): void {
  const f = f64x2.splat(factor);
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const at = <usize>j << 3;
    v128.store(a + at, f64x2.sub(v128.load(a + at), f64x2.mul(f, v128.load(row + at))));
    v128.store(a + at, f64x2.sub(v128.load(a + at, 16), f64x2.mul(f, v128.load(row + at, 16))), 16);
  }
  for (; j < n; j++) {
    const at = <usize>j << 3;
    store<f64>(a + at, load<f64>(a + at) - factor * load<f64>(row + at));
  }
}

/** Invert a symmetric positive definite matrix [n × n] in place; `row` is room for n numbers. */
export function invertSymmetric(a: usize, n: i32, row: usize): void {
  const stride = <usize>n << 3;
  for (let k = 0; k < n; k++) {
    const rowK = a + <usize>k * stride;
    const columnK = a + (<usize>k << 3);
    memory.copy(row, rowK, <usize>k << 3);
    for (let j = k + 1; j < n; j++) store<f64>(row + (<usize>j << 3), load<f64>(columnK + <usize>j * stride));
    const inverse = 1 / load<f64>(columnK + <usize>k * stride);
    for (let i = 0; i < n; i++) {
      if (i !== k) subtract(a + <usize>i * stride, row, i + 1, load<f64>(row + (<usize>i << 3)) * inverse);
    }
    for (let j = 0; j < k; j++) store<f64>(rowK + (<usize>j << 3), load<f64>(row + (<usize>j << 3)) * inverse);
    for (let i = k + 1; i < n; i++) {
      store<f64>(columnK + <usize>i * stride, load<f64>(row + (<usize>i << 3)) * inverse);
    }
    store<f64>(columnK + <usize>k * stride, -inverse);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = -load<f64>(a + <usize>i * stride + (<usize>j << 3));
      store<f64>(a + <usize>i * stride + (<usize>j << 3), value);
      store<f64>(a + <usize>j * stride + (<usize>i << 3), value);
    }
  }
}

/** `out = rows · q` for `count` rows [· × n] and q [n × n]; out is not rows. Four rows and four columns at a time. */
export function multiplyRows(rows: usize, q: usize, out: usize, count: i32, n: i32): void {
  const stride = <usize>n << 3;
  let r = 0;
  for (; r + 4 <= count; r += 4) {
    const a = rows + <usize>r * stride;
    const y = out + <usize>r * stride;
    let k = 0;
    for (; k + 4 <= n; k += 4) fourByFour(a, q + (<usize>k << 3), y + (<usize>k << 3), n, stride);
    for (; k < n; k++) {
      for (let s = 0; s < 4; s++) single(a + <usize>s * stride, q + (<usize>k << 3), y + <usize>s * stride + (<usize>k << 3), n, stride);
    }
  }
  for (; r < count; r++) {
    const a = rows + <usize>r * stride;
    const y = out + <usize>r * stride;
    for (let k = 0; k < n; k++) single(a, q + (<usize>k << 3), y + (<usize>k << 3), n, stride);
  }
}

@inline
function single(a: usize, q: usize, y: usize, n: i32, stride: usize): void {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += load<f64>(a + (<usize>i << 3)) * load<f64>(q + <usize>i * stride);
  store<f64>(y, sum);
}

@inline
function fourByFour(a: usize, q: usize, y: usize, n: i32, stride: usize): void {
  let y00 = f64x2.splat(0);
  let y01 = f64x2.splat(0);
  let y10 = f64x2.splat(0);
  let y11 = f64x2.splat(0);
  let y20 = f64x2.splat(0);
  let y21 = f64x2.splat(0);
  let y30 = f64x2.splat(0);
  let y31 = f64x2.splat(0);
  for (let i = 0; i < n; i++) {
    const at = a + (<usize>i << 3);
    const q0 = v128.load(q);
    const q1 = v128.load(q, 16);
    q += stride;
    const x0 = v128.load64_splat(at);
    y00 = f64x2.add(y00, f64x2.mul(x0, q0));
    y01 = f64x2.add(y01, f64x2.mul(x0, q1));
    const x1 = v128.load64_splat(at + stride);
    y10 = f64x2.add(y10, f64x2.mul(x1, q0));
    y11 = f64x2.add(y11, f64x2.mul(x1, q1));
    const x2 = v128.load64_splat(at + 2 * stride);
    y20 = f64x2.add(y20, f64x2.mul(x2, q0));
    y21 = f64x2.add(y21, f64x2.mul(x2, q1));
    const x3 = v128.load64_splat(at + 3 * stride);
    y30 = f64x2.add(y30, f64x2.mul(x3, q0));
    y31 = f64x2.add(y31, f64x2.mul(x3, q1));
  }
  v128.store(y, y00);
  v128.store(y, y01, 16);
  v128.store(y + stride, y10);
  v128.store(y + stride, y11, 16);
  v128.store(y + 2 * stride, y20);
  v128.store(y + 2 * stride, y21, 16);
  v128.store(y + 3 * stride, y30);
  v128.store(y + 3 * stride, y31, 16);
}
