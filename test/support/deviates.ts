import { CounterRandom, type Stream } from "../../models/random.ts";

/** Two numbers of N(0, 1) for each of some devices, as a write gives them to a device model. */
export const deviates = (devices: number, seed: number, stream?: Stream): Float64Array => {
  const out = new Float64Array(2 * devices);
  new CounterRandom(seed, stream).fillGaussian(out);
  return out;
};
