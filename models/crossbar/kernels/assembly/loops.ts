// kernel
// The loops of training beside the products, in WebAssembly SIMD. Arrays are byte addresses of Float32 in the
// imported memory; `[rows × n]` are row-major. Sums run in one order, so that results are the same bits everywhere.

import { gaussians, writeConstants } from "./gaussian";

/** Copy the windows of one sample `[H][W][C]` to rows `[oh·ow × kh·kw·C]`; what lies outside the sample is 0. */
export function im2col(x: usize, out: usize, h: i32, w: i32, c: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32, oh: i32, ow: i32): void {
  for (let i = 0; i < oh; i++) {
    for (let j = 0; j < ow; j++) {
      const from = j * sw - left;
      const skip = max(0, -from);
      const stop = max(skip, min(kw, w - from));
      for (let p = 0; p < kh; p++) {
        const row = i * sh - top + p;
        if (row < 0 || row >= h) {
          clear(out, kw * c);
        } else {
          clear(out, skip * c);
          copy(x + <usize>(((row * w + from + skip) * c) << 2), out + <usize>((skip * c) << 2), (stop - skip) * c);
          clear(out + <usize>((stop * c) << 2), (kw - stop) * c);
        }
        out += <usize>((kw * c) << 2);
      }
    }
  }
}

/** The way back of `im2col`: add the rows to the samples' elements that they were copied from. */
export function col2im(rows: usize, x: usize, h: i32, w: i32, c: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32, oh: i32, ow: i32): void {
  for (let i = 0; i < oh; i++) {
    for (let j = 0; j < ow; j++) {
      const from = j * sw - left;
      const skip = max(0, -from);
      const stop = max(skip, min(kw, w - from));
      for (let p = 0; p < kh; p++) {
        const row = i * sh - top + p;
        if (row >= 0 && row < h) {
          const to = x + <usize>(((row * w + from + skip) * c) << 2);
          add(to, rows + <usize>((skip * c) << 2), to, (stop - skip) * c);
        }
        rows += <usize>((kw * c) << 2);
      }
    }
  }
}

/** y = 0 */
export function clear(y: usize, n: i32): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(y + <usize>(i << 2), zero);
  for (; i < n; i++) store<f32>(y + <usize>(i << 2), 0);
}

/** y = x */
export function copy(x: usize, y: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(y + <usize>(i << 2), v128.load(x + <usize>(i << 2)));
  for (; i < n; i++) store<f32>(y + <usize>(i << 2), load<f32>(x + <usize>(i << 2)));
}

/** y = a + b */
export function add(a: usize, b: usize, y: usize, n: i32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>(i << 2);
    v128.store(y + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  }
  for (; i < n; i++) store<f32>(y + <usize>(i << 2), load<f32>(a + <usize>(i << 2)) + load<f32>(b + <usize>(i << 2)));
}

/** y += factor · x */
export function addScaled(x: usize, y: usize, n: i32, factor: f32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>(i << 2);
    store<f32>(y + at, load<f32>(y + at) + factor * load<f32>(x + at));
  }
}

/** y = max(x, 0) */
export function relu(x: usize, y: usize, n: i32): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(y + <usize>(i << 2), f32x4.pmax(zero, v128.load(x + <usize>(i << 2))));
  for (; i < n; i++) store<f32>(y + <usize>(i << 2), max<f32>(load<f32>(x + <usize>(i << 2)), 0));
}

/** dx = y > 0 ? dy : 0 */
export function reluBackward(y: usize, dy: usize, dx: usize, n: i32): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = <usize>(i << 2);
    v128.store(dx + at, v128.and(v128.load(dy + at), f32x4.gt(v128.load(y + at), zero)));
  }
  for (; i < n; i++) {
    const at = <usize>(i << 2);
    store<f32>(dx + at, load<f32>(y + at) > 0 ? load<f32>(dy + at) : 0);
  }
}

/** y[r] = x[r] · scale + shift for each row. */
export function scaleShift(x: usize, y: usize, scale: usize, shift: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = <usize>(j << 2);
      v128.store(y + at, f32x4.add(f32x4.mul(v128.load(x + at), v128.load(scale + at)), v128.load(shift + at)));
    }
    for (; j < n; j++) {
      const at = <usize>(j << 2);
      store<f32>(y + at, load<f32>(x + at) * load<f32>(scale + at) + load<f32>(shift + at));
    }
    x += <usize>(n << 2);
    y += <usize>(n << 2);
  }
}

/** y[r] += shift for each row. */
export function addRow(y: usize, shift: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    add(y, shift, y, n);
    y += <usize>(n << 2);
  }
}

/** sum += Σ over rows of x. */
export function sumRows(x: usize, sum: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    add(sum, x, sum, n);
    x += <usize>(n << 2);
  }
}

/** sum += Σ over rows of (x − mean)². */
export function sumSquaresRows(x: usize, mean: usize, sum: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = <usize>(j << 2);
      const d = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      v128.store(sum + at, f32x4.add(v128.load(sum + at), f32x4.mul(d, d)));
    }
    for (; j < n; j++) {
      const at = <usize>(j << 2);
      const d = load<f32>(x + at) - load<f32>(mean + at);
      store<f32>(sum + at, load<f32>(sum + at) + d * d);
    }
    x += <usize>(n << 2);
  }
}

/** sum += Σ over rows of dy · (x − mean). */
export function sumProductRows(x: usize, mean: usize, dy: usize, sum: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = <usize>(j << 2);
      const d = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      v128.store(sum + at, f32x4.add(v128.load(sum + at), f32x4.mul(v128.load(dy + at), d)));
    }
    for (; j < n; j++) {
      const at = <usize>(j << 2);
      store<f32>(sum + at, load<f32>(sum + at) + load<f32>(dy + at) * (load<f32>(x + at) - load<f32>(mean + at)));
    }
    x += <usize>(n << 2);
    dy += <usize>(n << 2);
  }
}

/** dx[r] = p · dy[r] + q · x[r] + s for each row: the gradient through batch normalisation. */
export function mixRows(dy: usize, x: usize, dx: usize, p: usize, q: usize, s: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = <usize>(j << 2);
      const left = f32x4.mul(v128.load(p + at), v128.load(dy + at));
      const right = f32x4.add(f32x4.mul(v128.load(q + at), v128.load(x + at)), v128.load(s + at));
      v128.store(dx + at, f32x4.add(left, right));
    }
    for (; j < n; j++) {
      const at = <usize>(j << 2);
      store<f32>(dx + at, load<f32>(p + at) * load<f32>(dy + at) + (load<f32>(q + at) * load<f32>(x + at) + load<f32>(s + at)));
    }
    dy += <usize>(n << 2);
    x += <usize>(n << 2);
    dx += <usize>(n << 2);
  }
}

/** y[r] += x[r] · w, element by element, rows of x `stride` floats apart: one tap of a depthwise convolution. */
export function multiplyAddRows(x: usize, stride: i32, w: usize, y: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    multiplyAdd(x, w, y, n);
    x += <usize>(stride << 2);
    y += <usize>(n << 2);
  }
}

/** The gradients of one tap: dx[r] += dy[r] · w (rows of dx `stride` apart), dw += Σ dy[r] · x[r]. */
export function tapBackward(x: usize, dx: usize, stride: i32, w: usize, dw: usize, dy: usize, rows: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    multiplyAdd(dy, x, dw, n);
    multiplyAdd(dy, w, dx, n);
    x += <usize>(stride << 2);
    dx += <usize>(stride << 2);
    dy += <usize>(n << 2);
  }
}

function multiplyAdd(a: usize, b: usize, y: usize, n: i32): void {
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const at = <usize>(j << 2);
    v128.store(y + at, f32x4.add(v128.load(y + at), f32x4.mul(v128.load(a + at), v128.load(b + at))));
  }
  for (; j < n; j++) {
    const at = <usize>(j << 2);
    store<f32>(y + at, load<f32>(y + at) + load<f32>(a + at) * load<f32>(b + at));
  }
}

/** y = x on the levels `step · (−levels … levels)`, half to even: what a converter passes on. */
export function roundToLevels(x: usize, y: usize, n: i32, step: f32, levels: f32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>(i << 2);
    store<f32>(y + at, max<f32>(-levels, min<f32>(levels, nearest<f32>(load<f32>(x + at) / step))) * step);
  }
}

/** dx = 0 where |x| > limit: no gradient passes a converter that clips. */
export function maskBeyond(x: usize, dx: usize, n: i32, limit: f32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>(i << 2);
    if (abs<f32>(load<f32>(x + at)) > limit) store<f32>(dx + at, 0);
  }
}

/** max |x| */
export function maxAbsolute(x: usize, n: i32): f32 {
  let most: f32 = 0;
  for (let i = 0; i < n; i++) most = max<f32>(most, abs<f32>(load<f32>(x + <usize>(i << 2))));
  return most;
}

/** Σ x², in double precision. */
export function sumSquares(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const value = <f64>load<f32>(x + <usize>(i << 2));
    sum += value * value;
  }
  return sum;
}

/**
 * One step of Adam with decoupled decay (Loshchilov and Hutter, 2019) over `n` parameters:
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w(1 − decay) − rate · m / (√(v · correct) + ε), g = scale · dw.
 */
export function adam(w: usize, dw: usize, m: usize, v: usize, n: i32, scale: f32, rate: f32, decay: f32, beta1: f32, beta2: f32, correct: f32, epsilon: f32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>(i << 2);
    const g = load<f32>(dw + at) * scale;
    const first = beta1 * load<f32>(m + at) + (1 - beta1) * g;
    const second = beta2 * load<f32>(v + at) + (1 - beta2) * g * g;
    store<f32>(m + at, first);
    store<f32>(v + at, second);
    const old = load<f32>(w + at);
    store<f32>(w + at, old - old * decay - (rate * first) / (sqrt<f32>(second * correct) + epsilon));
  }
}

/** `count` numbers of N(0, 1) at `out`, which must have room for the next multiple of 16. */
export function fillGaussian(out: usize, count: i32, key0: i32, key1: i32): void {
  writeConstants();
  gaussians(out, (count + 15) >> 4, 0, 8, key0, key1);
}
