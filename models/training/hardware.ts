import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { Converters } from "./layer.ts";
import type { Parameters } from "./parameters.ts";

/** What training knows of the crossbar. Each part that is left out is ideal. */
export interface HardwareOptions extends Converters {
  /**
   * Standard deviation of the noise on weights, fresh in each half of each batch, as a part of the layer's
   * largest |W|, for a weight of that size. Smaller weights have less: see `weightNoiseShape`.
   */
  readonly weightNoise?: number;
  /** How the spread depends on r = |w| / max|W|, ascending powers; it is scaled to 1 at r = 1. Left out: PCM. */
  readonly weightNoiseShape?: readonly number[];
  /** After each step weights are clipped to ± this many standard deviations of their layer. */
  readonly weightClip?: number;
  /** First epoch with noise; clipping and converters are on from the start. */
  readonly noiseFromEpoch?: number;
}

/**
 * Programming noise of phase-change memory over the conductance, ascending powers of g / g_max: Nandakumar et
 * al. (2019), as `devices/pcm-nandakumar-2019.ts`. Drift and read noise spread in a similar shape.
 */
export const pcmNoiseShape: readonly number[] = [0.26348, 1.965, -1.1731];

/**
 * Fill the weights in use with the clean ones plus Gaussian noise, numbered by `keys`; other parameters are copied.
 * The gradient is then that of the noisy weights, and changes the clean ones (Joshi et al., 2020).
 */
export const disturbWeights = (
  parameters: Parameters,
  loops: LoopKernel,
  options: HardwareOptions,
  keys: readonly [number, number],
): void => {
  const { weightNoise = 0, weightNoiseShape = pcmNoiseShape } = options;
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = weightNoiseShape;
  const atFull = c0 + c1 + c2 + c3;
  loops.fillGaussian(parameters.used.byteOffset, parameters.used.length, keys[0], keys[1]);
  for (const { role, value, used } of parameters.parameters) {
    if (role === "other") {
      used.set(value);
      continue;
    }
    const most = loops.maxAbsolute(value.byteOffset, value.length);
    const sigma = (weightNoise * most) / atFull;
    const inverse = most > 0 ? 1 / most : 0;
    for (let i = 0; i < value.length; i++) {
      const r = Math.abs(value[i]!) * inverse;
      used[i] = value[i]! + sigma * Math.max(0, c0 + r * (c1 + r * (c2 + r * c3))) * used[i]!;
    }
  }
};

/** Clip each layer's weights to ± `deviations` of its standard deviation: the largest sets the use of conductance. */
export const clipWeights = (parameters: Parameters, loops: LoopKernel, deviations: number): void => {
  for (const { role, value } of parameters.parameters) {
    if (role !== "weight") continue;
    const limit = deviations * Math.sqrt(loops.sumSquares(value.byteOffset, value.length) / value.length);
    for (let i = 0; i < value.length; i++) {
      const w = value[i]!;
      if (w > limit) value[i] = limit;
      else if (w < -limit) value[i] = -limit;
    }
  }
};
