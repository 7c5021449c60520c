import { CounterRandom, philox4x32 } from "../random.ts";

/**
 * Events other than writes, which count from zero: what the read noise of a moment is keyed by. Negative, as words
 * of 32 bits with sign: V8 boxes larger numbers, an allocation at each call.
 */
export const readEvent = { inference: -1, calibration: -4096, weights: -8192, devices: -16384 } as const;

const block = new Uint32Array(4);

/**
 * Write the two keys of a tile's read noise to `out`: a function of (seed, array, tile, number, event), where
 * `number` (an integer in 0 … 2⁵³ − 1) counts the inferences, or is what a calibration is told apart by.
 */
export const readKeys = (
  seed: number,
  arrayId: number,
  tile: number,
  number: number,
  event: number,
  out: Int32Array,
): void => {
  const high = (number / 2 ** 32) | 0;
  philox4x32(number | 0, high, (arrayId << 16) | tile, event, seed | 0, (seed / 2 ** 32) | 0, block);
  out[0] = block[0]!;
  out[1] = block[1]!;
};

/** Numbers of a moment by itself, keyed the same way. */
export const readRandom = (
  { seed, arrayId, index }: { readonly seed: number; readonly arrayId: number; readonly index: number },
  moment: number,
  event: number,
  keys: Int32Array,
): CounterRandom => {
  readKeys(seed, arrayId, index, moment, event, keys);
  const [key0 = 0, key1 = 0] = keys;
  return new CounterRandom((key1 & 0x1fffff) * 2 ** 32 + (key0 >>> 0));
};
