// What follows a sum of products: read noise, ADC, scale.

/** Most groups of sixteen Gaussian numbers that are made at once. */
export const groupsAtOnce: i32 = 16;

/**
 * Sixteen sums at `sums` → noise, ADC, scale → at most `width` outputs at `y`. Gives `clipped`, less one in a lane
 * for each clipped output. `noisy`: variances lie 128 bytes after the sums.
 */
// @ts-ignore: decorator
@inline
export function finish(
  clipped: v128,
  sums: usize,
  noisy: bool,
  gaussian: usize,
  scales: usize,
  scalesBytes: usize,
  adcMax: v128,
  adcMin: v128,
  y: usize,
  width: i32,
  accumulate: i32,
): v128 {
  clipped = finishFour(clipped, sums, noisy, gaussian, scales, scalesBytes, adcMax, adcMin, y, width, accumulate, 0);
  clipped = finishFour(clipped, sums, noisy, gaussian, scales, scalesBytes, adcMax, adcMin, y, width, accumulate, 16);
  clipped = finishFour(clipped, sums, noisy, gaussian, scales, scalesBytes, adcMax, adcMin, y, width, accumulate, 32);
  clipped = finishFour(clipped, sums, noisy, gaussian, scales, scalesBytes, adcMax, adcMin, y, width, accumulate, 48);
  for (let o = 0; width < 16 && o < width; o++) {
    const at = <usize>o << 2;
    const value = load<f32>(sums + at);
    store<f32>(y + at, accumulate ? load<f32>(y + at) + value : value);
  }
  return clipped;
}

/** Four of the sixteen, `v` bytes on. Written out four times: V8 checks its stack at each turn of a loop. */
// @ts-ignore: decorator
@inline
function finishFour(
  clipped: v128,
  sums: usize,
  noisy: bool,
  gaussian: usize,
  scales: usize,
  scalesBytes: usize,
  adcMax: v128,
  adcMin: v128,
  y: usize,
  width: i32,
  accumulate: i32,
  v: usize,
): v128 {
  let code = f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums + v)), v128.load(scales + v));
  if (noisy) {
    const deviation = f32x4.mul(
      f32x4.sqrt(f32x4.convert_i32x4_s(v128.load(sums + v, 128))),
      v128.load(scales + scalesBytes + v),
    );
    code = f32x4.add(code, f32x4.mul(deviation, f32x4.convert_i32x4_s(v128.load16x4_s(gaussian + (v >> 1)))));
  }
  code = f32x4.nearest(code);
  const level = f32x4.pmax(f32x4.pmin(code, adcMax), adcMin);
  clipped = i32x4.add(clipped, f32x4.ne(code, level));
  let out = f32x4.mul(level, v128.load(scales + 2 * scalesBytes + v));
  if (width >= 16) {
    if (accumulate) out = f32x4.add(v128.load(y + v), out);
    v128.store(y + v, out);
  } else {
    v128.store(sums + v, out);
  }
  return clipped;
}

/** The sum of four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(x: v128): i32 {
  return (
    i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3)
  );
}
