import { philox4x32 } from "../random.ts";
import type { TileKey } from "./programming.ts";

/** Noise slower than this is a path that goes on from read to read; faster noise is new in each read. s */
export const slowestFastSeconds = 1;

/** Steps of the path's levels: level k changes over 4^k s. */
const step = 4;
/** 4^15 s are 34 years. */
const levels = 16;

/** Events of the random numbers of slow noise: 0xC000_0000 and on, with level and pulses of the device. */
const slowEvent = 0xc000_0000;

/**
 * Write the path of 1/f noise of each device at a moment to `out`, N(0, ln(seconds / 1 s)): what a noise of power A² / f
 * has below 1 Hz, as seen in `seconds` of existence, in units of A.
 *
 *   n(t) = Σ_k √(w_k ln 4) · z_k(t)                     k = 0 … 15     w_k = clip(log₄(seconds / 4^k), 0, 1)
 *   z_k  = cos(π u / 2) ξ_j + sin(π u / 2) ξ_(j+1)      j + u = t / 4^k: one Gaussian number each 4^k seconds
 *
 * Each level is noise of one width of frequencies, a factor of four; the same power in each makes a spectrum of 1/f. ξ is
 * drawn by counter (seed, array, tile, device, pulses of the device, k, j), so that the path is a function of time: it
 * can be asked for at any moments in any order, and a device written anew begins another.
 *
 * @param which   numbers of the devices, as `out` has them
 * @param writes  pulses of each device of the tile
 */
export const slowNoise = (
  which: Uint32Array,
  writes: Uint32Array,
  atSeconds: number,
  seconds: number,
  { seed, arrayId, index }: TileKey,
  out: Float32Array,
): void => {
  out.fill(0);
  const [key0, key1] = [seed | 0, (seed / 2 ** 32) | 0];
  const place = (arrayId << 16) | index;
  const block = new Uint32Array(4);
  for (let k = 0; k < levels; k++) {
    const period = slowestFastSeconds * step ** k;
    const share = Math.min(1, Math.log(seconds / period) / Math.log(step));
    if (!(share > 0)) break;
    const j = Math.floor(atSeconds / period);
    const u = (Math.PI / 2) * (atSeconds / period - j);
    const sigma = Math.sqrt(share * Math.log(step));
    const [now, next] = [sigma * Math.cos(u), sigma * Math.sin(u)];
    for (let n = 0; n < which.length; n++) {
      const device = which[n]!;
      const event = slowEvent + k * 2 ** 24 + (writes[device]! & 0xffffff);
      // A block has the numbers of an even j and of the next, by Box and Muller.
      philox4x32(device, j >>> 1, place, event, key0, key1, block);
      let radius = Math.sqrt(-2 * Math.log((block[0]! + 0.5) / 2 ** 32));
      let angle = (2 * Math.PI * block[1]!) / 2 ** 32;
      let sum: number;
      if (j % 2 === 0) sum = radius * (now * Math.cos(angle) + next * Math.sin(angle));
      else {
        sum = radius * now * Math.sin(angle);
        philox4x32(device, (j + 1) >>> 1, place, event, key0, key1, block);
        radius = Math.sqrt(-2 * Math.log((block[0]! + 0.5) / 2 ** 32));
        angle = (2 * Math.PI * block[1]!) / 2 ** 32;
        sum += radius * next * Math.cos(angle);
      }
      out[n] = out[n]! + sum;
    }
  }
};
