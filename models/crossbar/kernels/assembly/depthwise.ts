// Columns that share no input: one kernel of a depthwise convolution each. The arithmetic is that of `analog.ts`.
import { finish, groupsAtOnce, sumLanes } from "./finish";
import { readNoise } from "./read-noise";

/** Codes of eight channels at two taps → pairs of them, as weights lie: the lower and the upper four channels. */
// @ts-ignore: decorator
@inline
function lower(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
// @ts-ignore: decorator
@inline
function upper(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** One position by one panel of sixteen channels → 16 sums at `out`; where `noisy`, of squares by variances after 128 bytes. */
// @ts-ignore: decorator
@inline
function dotWindows(
  panel: usize,
  variances: usize,
  codes: usize,
  squares: usize,
  windows: usize,
  taps: i32,
  noisy: bool,
  out: usize,
): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let v0 = i32x4.splat(0);
  let v1 = i32x4.splat(0);
  let v2 = i32x4.splat(0);
  let v3 = i32x4.splat(0);
  for (let k = 0; k < taps; k += 2) {
    const first = <usize>load<u32>(windows) << 1;
    const second = <usize>load<u32>(windows, 4) << 1; // of an odd number of taps the last has weights of 0
    const a = v128.load(codes + first);
    const b = v128.load(codes + second);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(lower(a, b), v128.load(panel)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(upper(a, b), v128.load(panel, 16)));
    const c = v128.load(codes + first, 16);
    const d = v128.load(codes + second, 16);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(lower(c, d), v128.load(panel, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(upper(c, d), v128.load(panel, 48)));
    if (noisy) {
      const e = v128.load(squares + first);
      const f = v128.load(squares + second);
      v0 = i32x4.add(v0, i32x4.dot_i16x8_s(lower(e, f), v128.load8x8_u(variances)));
      v1 = i32x4.add(v1, i32x4.dot_i16x8_s(upper(e, f), v128.load8x8_u(variances, 8)));
      const g = v128.load(squares + first, 16);
      const h = v128.load(squares + second, 16);
      v2 = i32x4.add(v2, i32x4.dot_i16x8_s(lower(g, h), v128.load8x8_u(variances, 16)));
      v3 = i32x4.add(v3, i32x4.dot_i16x8_s(upper(g, h), v128.load8x8_u(variances, 24)));
      variances += 32;
    }
    panel += 64;
    windows += 8;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  if (noisy) {
    v128.store(out, v0, 128);
    v128.store(out, v1, 144);
    v128.store(out, v2, 160);
    v128.store(out, v3, 176);
  }
}

/**
 * `channels` columns of `taps` devices each by `batch` positions. `windows` holds, for each position, where the
 * codes of its taps stand, in numbers from `codes` on, an even number of taps. Codes and squares are followed by
 * 32 bytes that may be read. The rest as in `multiply`; rows of y are `channels` apart.
 */
export function multiplyWindows(
  weights: usize,
  variances: usize,
  codes: usize,
  squares: usize,
  channels: i32,
  taps: i32,
  windows: usize,
  scales: usize,
  adcMax: f32,
  y: usize,
  batch: i32,
  keys: usize,
  scratch: usize,
): i32 {
  const key0 = load<i32>(keys);
  const key1 = load<i32>(keys, 4);
  const pairs = (taps + 1) >> 1;
  const panels = (channels + 15) >> 4;
  const noisy = variances != 0;
  const noise = scratch + 256;
  const most = f32x4.splat(adcMax);
  const least = f32x4.splat(-adcMax);
  let clipped = i32x4.splat(0);
  for (let p = 0; p < panels; p++) {
    const panel = weights + ((<usize>p * <usize>pairs) << 6);
    const variancePanel = variances + ((<usize>p * <usize>pairs) << 5);
    const width = min(channels - (p << 4), 16);
    const scale = scales + (<usize>p << 6);
    const codesAt = codes + (<usize>p << 5);
    const squaresAt = squares + (<usize>p << 5);
    let at = y + (<usize>p << 6);
    let window = windows;
    for (let row = 0; row < batch; row++) {
      const gaussian = noise + ((<usize>row % groupsAtOnce) << 5);
      if (noisy && row % groupsAtOnce == 0) {
        readNoise(noise, min(batch - row, groupsAtOnce), (row * panels + p) << 3, panels << 3, key0, key1);
      }
      if (noisy) dotWindows(panel, variancePanel, codesAt, squaresAt, window, taps, true, scratch);
      else dotWindows(panel, 0, codesAt, 0, window, taps, false, scratch);
      clipped = finish(clipped, scratch, noisy, gaussian, scale, <usize>panels << 6, most, least, at, width, 0);
      at += <usize>channels << 2;
      window += <usize>pairs << 3;
    }
  }
  return -sumLanes(clipped);
}
