// kernel
// Products of a tile of int16 weights by DAC codes, with read noise, ADC and scale in the same pass.
// Layout and meaning of each argument: `kernels/kernel.ts`; the same arithmetic, obvious: `kernels/reference.ts`.
import { multiplyWindows } from "./depthwise";
import { dot1, dot1Noisy, dot2, dot2Variances } from "./dot";
import { finish, groupsAtOnce, sumLanes } from "./finish";
import { readNoise, writeConstants } from "./read-noise";

/** Float32 numbers to DAC codes and, where `squares` is not null, their squares. Gives the number of clipped ones. */
export function quantise(
  x: usize,
  stride: i32,
  inputs: i32,
  batch: i32,
  dac: usize,
  codes: usize,
  squares: usize,
  squareShift: i32,
): i32 {
  const padded = (inputs + 1) & ~1;
  const rounding = squareShift > 0 ? 1 << (squareShift - 1) : 0;
  const levelsPerUnit = load<f32>(dac);
  const codeMax = load<f32>(dac, 4);
  const scale = f32x4.splat(levelsPerUnit);
  const most = f32x4.splat(codeMax);
  const least = f32x4.splat(-codeMax);
  const magic = f32x4.splat(12582912);
  let beyond = i32x4.splat(0);
  let clipped = 0;
  for (let row = 0; row < batch; row++) {
    const from = x + ((<usize>row * <usize>stride) << 2);
    const to = codes + ((<usize>row * <usize>padded) << 1);
    const toSquare = squares + ((<usize>row * <usize>padded) << 1);
    let i = 0;
    for (; i + 8 <= inputs; i += 8) {
      const at = from + (<usize>i << 2);
      let a = f32x4.nearest(f32x4.mul(v128.load(at), scale));
      let b = f32x4.nearest(f32x4.mul(v128.load(at, 16), scale));
      a = v128.and(a, f32x4.eq(a, a)); // NaN to 0
      b = v128.and(b, f32x4.eq(b, b));
      const levelA = f32x4.pmax(f32x4.pmin(a, most), least);
      const levelB = f32x4.pmax(f32x4.pmin(b, most), least);
      beyond = i32x4.add(beyond, i32x4.add(f32x4.ne(a, levelA), f32x4.ne(b, levelB)));
      // Whole numbers stand in the lowest bits of a Float32 near 1.5 · 2²³: V8 needs seven instructions to truncate.
      const codeA = i32x4.sub(f32x4.add(levelA, magic), magic);
      const codeB = i32x4.sub(f32x4.add(levelB, magic), magic);
      const code = i16x8.narrow_i32x4_s(codeA, codeB);
      v128.store(to + (<usize>i << 1), code);
      if (squares) {
        if (squareShift == 0) {
          v128.store(toSquare + (<usize>i << 1), i16x8.mul(code, code));
        } else {
          const squareA = i32x4.shr_s(i32x4.add(i32x4.mul(codeA, codeA), i32x4.splat(rounding)), squareShift);
          const squareB = i32x4.shr_s(i32x4.add(i32x4.mul(codeB, codeB), i32x4.splat(rounding)), squareShift);
          v128.store(toSquare + (<usize>i << 1), i16x8.narrow_i32x4_s(squareA, squareB));
        }
      }
    }
    for (; i < padded; i++) {
      let value: f32 = 0;
      if (i < inputs) value = nearest<f32>(load<f32>(from + (<usize>i << 2)) * levelsPerUnit);
      if (abs(value) > codeMax) {
        clipped++;
        value = value > 0 ? codeMax : -codeMax;
      }
      const code = value == value ? <i32>value : 0;
      store<i16>(to + (<usize>i << 1), <i16>code);
      if (squares) store<i16>(toSquare + (<usize>i << 1), <i16>((code * code + rounding) >> squareShift));
    }
  }
  return clipped - sumLanes(beyond);
}

/**
 * One tile by `batch` rows of codes. `variances` and `squares` are null without read noise. `scales` holds three
 * rows of panels · 16 numbers: gain, noise gain, output scale. `keys` holds two words, `scratch` has room for sums of
 * two rows and for sixteen groups of Gaussian numbers: 768 bytes.
 */
export function multiply(
  weights: usize,
  variances: usize,
  codes: usize,
  squares: usize,
  pairs: i32,
  outputs: i32,
  scales: usize,
  adcMax: f32,
  y: usize,
  stride: i32,
  batch: i32,
  accumulate: i32,
  keys: usize,
  scratch: usize,
): i32 {
  const key0 = load<i32>(keys);
  const key1 = load<i32>(keys, 4);
  const panels = (outputs + 15) >> 4;
  const scalesBytes = <usize>panels << 6;
  const panelBytes = <usize>pairs << 6;
  const rowBytes = <usize>pairs << 2;
  const strideBytes = <usize>stride << 2;
  const noisy = variances != 0;
  const noise = scratch + 256;
  const most = f32x4.splat(adcMax);
  const least = f32x4.splat(-adcMax);
  let clipped = i32x4.splat(0);
  for (let p = 0; p < panels; p++) {
    const panel = weights + <usize>p * panelBytes;
    const variancePanel = variances + <usize>p * (panelBytes >> 1);
    const width = min(outputs - (p << 4), 16);
    const scale = scales + (<usize>p << 6);
    let at = y + (<usize>p << 6);
    let rowAt: usize = 0;
    // Gaussians: of one row for several panels at once, or of one panel for several rows.
    let gaussian = noise + ((<usize>p % groupsAtOnce) << 5);
    if (noisy && batch == 1 && p % groupsAtOnce == 0) {
      readNoise(noise, min(panels - p, groupsAtOnce), p << 3, 8, key0, key1);
    }
    let row = 0;
    for (; row + 2 <= batch; row += 2) {
      dot2(panel, codes + rowAt, rowBytes, pairs, scratch);
      if (noisy) {
        gaussian = noise + ((<usize>row % groupsAtOnce) << 5);
        if (row % groupsAtOnce == 0) {
          const groups = min(batch - row, groupsAtOnce);
          readNoise(noise, groups, (row * panels + p) << 3, panels << 3, key0, key1);
        }
        dot2Variances(variancePanel, squares + rowAt, rowBytes, pairs, scratch + 128);
      }
      clipped = finish(clipped, scratch, noisy, gaussian, scale, scalesBytes, most, least, at, width, accumulate);
      at += strideBytes;
      gaussian += 32;
      clipped = finish(clipped, scratch + 64, noisy, gaussian, scale, scalesBytes, most, least, at, width, accumulate);
      at += strideBytes;
      gaussian += 32;
      rowAt += rowBytes << 1;
    }
    if (row < batch) {
      if (noisy) {
        if (row > 0 && row % groupsAtOnce == 0) {
          gaussian = noise;
          readNoise(noise, 1, (row * panels + p) << 3, 0, key0, key1);
        }
        dot1Noisy(panel, variancePanel, codes + rowAt, squares + rowAt, pairs, scratch);
      } else {
        dot1(panel, codes + rowAt, pairs, scratch);
      }
      clipped = finish(clipped, scratch, noisy, gaussian, scale, scalesBytes, most, least, at, width, accumulate);
    }
  }
  return -sumLanes(clipped);
}

/** As `multiply`, but each output has inputs of its own: `assembly/depthwise.ts`. */
export function depthwise(
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
  return multiplyWindows(
    weights,
    variances,
    codes,
    squares,
    channels,
    taps,
    windows,
    scales,
    adcMax,
    y,
    batch,
    keys,
    scratch,
  );
}

/** To be called before all else. */
export function prepare(): void {
  writeConstants();
}

/** `count` (a multiple of 16) int16 at `out`, N(0, 4096²): what the read noise is made of, for its tests. */
export function fillReadNoise(out: usize, count: i32, key0: i32, key1: i32): void {
  readNoise(out, count >> 4, 0, 8, key0, key1);
}
