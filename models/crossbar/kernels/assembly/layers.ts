// kernel
// What a network does beside its products, over Float32: bias and bounds, windows to rows, depthwise convolution.
// The same in plain TypeScript: `network/layers/elementwise.ts`, `im2col.ts`, `depthwise.ts`.

/** y[r] = min(max(x[r] + bias, low), high) for each row: n of x, rows of y `stride` floats apart. */
export function addBias(x: usize, y: usize, stride: i32, bias: usize, rows: i32, n: i32, low: f32, high: f32): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= n; c += 4) {
      const at = <usize>c << 2;
      const sum = f32x4.add(v128.load(x + at), v128.load(bias + at));
      v128.store(y + at, f32x4.pmin(f32x4.pmax(sum, least), most));
    }
    for (; c < n; c++) {
      const at = <usize>c << 2;
      const sum = load<f32>(x + at) + load<f32>(bias + at);
      store<f32>(y + at, sum < low ? low : sum > high ? high : sum);
    }
    x += <usize>n << 2;
    y += <usize>stride << 2;
  }
}

/** Copy the windows of an image to rows: of each of `windows` positions `n` floats; a negative position gives zeros. */
export function gather(x: usize, out: usize, positions: usize, windows: i32, stride: i32, n: i32): void {
  for (let i = 0; i < windows; i++) {
    const position = load<i32>(positions);
    const from = x + ((<usize>position * <usize>stride) << 2);
    let c = 0;
    if (position < 0) {
      for (; c + 4 <= n; c += 4) v128.store(out + (<usize>c << 2), f32x4.splat(0));
      for (; c < n; c++) store<f32>(out + (<usize>c << 2), 0);
    } else {
      for (; c + 4 <= n; c += 4) v128.store(out + (<usize>c << 2), v128.load(from + (<usize>c << 2)));
      for (; c < n; c++) store<f32>(out + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
    }
    out += <usize>n << 2;
    positions += 4;
  }
}

/**
 * Each channel by its own kernel, without bias: y[r][c] = Σ over taps of w[tap][c] · x[position][c], a negative
 * position left out. `n` channels.
 */
export function depthwise(x: usize, w: usize, y: usize, positions: usize, rows: i32, taps: i32, n: i32): void {
  for (let r = 0; r < rows; r++) {
    let c = 0;
    for (; c + 4 <= n; c += 4) {
      let sum = f32x4.splat(0);
      for (let t = 0; t < taps; t++) {
        const position = load<i32>(positions + (<usize>t << 2));
        if (position < 0) continue;
        const value = v128.load(x + (<usize>(position * n + c) << 2));
        sum = f32x4.add(sum, f32x4.mul(v128.load(w + (<usize>(t * n + c) << 2)), value));
      }
      v128.store(y + (<usize>c << 2), sum);
    }
    for (; c < n; c++) {
      let sum: f32 = 0;
      for (let t = 0; t < taps; t++) {
        const position = load<i32>(positions + (<usize>t << 2));
        if (position < 0) continue;
        sum += load<f32>(w + (<usize>(t * n + c) << 2)) * load<f32>(x + (<usize>(position * n + c) << 2));
      }
      store<f32>(y + (<usize>c << 2), sum);
    }
    positions += <usize>taps << 2;
    y += <usize>n << 2;
  }
}

/** y[c] = mean of x[r][c] over the rows. */
export function mean(x: usize, y: usize, rows: i32, n: i32): void {
  let c = 0;
  for (; c + 4 <= n; c += 4) {
    let sum = f32x4.splat(0);
    let at = x + (<usize>c << 2);
    for (let r = 0; r < rows; r++) {
      sum = f32x4.add(sum, v128.load(at));
      at += <usize>n << 2;
    }
    v128.store(y + (<usize>c << 2), f32x4.div(sum, f32x4.splat(<f32>rows)));
  }
  for (; c < n; c++) {
    let sum: f32 = 0;
    for (let r = 0; r < rows; r++) sum += load<f32>(x + (<usize>(r * n + c) << 2));
    store<f32>(y + (<usize>c << 2), sum / <f32>rows);
  }
}
