import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { Converters } from "./layer.ts";
import type { Layout, Parameter, Parameters } from "./parameters.ts";

/** What training knows of the crossbar. Each part that is left out is ideal. */
export interface HardwareOptions extends Converters {
  /**
   * Standard deviation of the noise on weights, fresh in each half of each batch, as a part of the layer's
   * largest |W| on the crossbar, for a weight of that size. Smaller weights have less: see `weightNoiseShape`.
   */
  readonly weightNoise?: number;
  /** How the spread depends on r = |w| / max|W|, ascending powers; it is scaled to 1 at r = 1. Left out: PCM. */
  readonly weightNoiseShape?: readonly number[];
  /** After each step weights are clipped to ± this many root mean squares; see `clipWeights`. */
  readonly weightClip?: number;
  /** Weights drift to random ages up to this, in seconds; see `driftWeights`. Left out: they do not. */
  readonly driftSeconds?: number;
  /** Part of the weights whose devices are stuck, others in each half of each batch; see `stickWeights`. */
  readonly stuckDevices?: number;
  /** First epoch with noise, drift and stuck devices; clipping and converters are on from the start. */
  readonly noiseFromEpoch?: number;
}

/** Names of the options, so that a recipe with another is refused. */
const optionNames: Readonly<Record<keyof HardwareOptions, true>> = {
  ...{ weightNoise: true, weightNoiseShape: true, driftSeconds: true, stuckDevices: true, weightClip: true },
  ...{ noiseFromEpoch: true, activationBits: true, inputMax: true, learnInputRange: true },
  ...{ adcBits: true, outputNoise: true },
};

/** @throws RangeError with the option's name, what was expected and what was given */
export const checkHardware = (options: HardwareOptions): void => {
  const expect = (good: boolean, name: string, expected: string, got: unknown): void => {
    if (!good) throw new RangeError(`hardware.${name}: expected ${expected}, got ${got}`);
  };
  const known = Object.keys(optionNames);
  for (const name of Object.keys(options)) expect(known.includes(name), name, `one of ${known.join(", ")}`, "another");
  const { weightNoise = 0, weightClip = 1, inputMax = 1, outputNoise = 0, noiseFromEpoch = 0 } = options;
  const { activationBits = 8, adcBits = 8, driftSeconds = 0, stuckDevices = 0, learnInputRange = false } = options;
  for (const [name, value] of Object.entries({ inputMax, weightClip })) {
    expect(value > 0 && value < Infinity, name, "a number > 0", value);
  }
  for (const [name, value] of Object.entries({ weightNoise, outputNoise, driftSeconds, noiseFromEpoch })) {
    expect(value >= 0 && value < Infinity, name, "a number ≥ 0", value);
  }
  for (const [name, bits] of Object.entries({ activationBits, adcBits })) {
    expect(Number.isInteger(bits) && bits >= 2 && bits <= 16, name, "an integer in 2 … 16", bits);
  }
  expect(stuckDevices >= 0 && stuckDevices < 1, "stuckDevices", "0 … 1", stuckDevices);
  const converts = !learnInputRange || options.activationBits !== undefined;
  expect(converts, "learnInputRange", "activationBits beside it", learnInputRange);
};

/**
 * Programming noise of phase-change memory over the conductance, ascending powers of g / g_max: Nandakumar et
 * al. (2019), as `devices/pcm-nandakumar-2019.ts`. Drift and read noise spread in a similar shape.
 */
export const pcmNoiseShape: readonly number[] = [0.26348, 1.965, -1.1731];

/**
 * Fill the weights in use with the clean ones plus Gaussian noise, numbered by `keys`; other parameters are copied.
 * The gradient is then that of the noisy weights, and changes the clean ones (Joshi et al., 2020). Sizes are
 * those on the crossbar, after batch normalisation is folded in: a channel that is scaled up has less noise here.
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
  for (const parameter of parameters.parameters) {
    const { layout, value, used } = parameter;
    if (!layout) {
      used.set(value);
      continue;
    }
    const factors = foldFactors(parameter);
    const most = largestOnCrossbar(value, layout, factors);
    if (most === 0) {
      used.set(value);
      continue;
    }
    eachOutput(value.length, layout, (o, from, step, end) => {
      const inverse = factors[o]! / most;
      const sigma = weightNoise / (inverse * atFull);
      for (let i = from; i < end; i += step) {
        const r = Math.abs(value[i]!) * inverse;
        used[i] = value[i]! + sigma * Math.max(0, c0 + r * (c1 + r * (c2 + r * c3))) * used[i]!;
      }
    });
  }
};

/**
 * Clip weights to ± `deviations` root mean squares, so that few large ones do not leave most of the conductance range
 * empty. Under batch normalisation, to which the size of a channel means nothing, each output's own; else the layer's.
 */
export const clipWeights = (parameters: Parameters, loops: LoopKernel, deviations: number): void => {
  for (const { layout, fold, value } of parameters.parameters) {
    if (!layout) continue;
    const ofLayer = Math.sqrt(loops.sumSquares(value.byteOffset, value.length) / value.length);
    eachOutput(value.length, layout, (_, from, step, end) => {
      let squares = 0;
      if (fold) for (let i = from; i < end; i += step) squares += value[i]! * value[i]!;
      const limit = deviations * (fold ? Math.sqrt(squares / (value.length / layout.outputs)) : ofLayer);
      for (let i = from; i < end; i += step) {
        const w = value[i]!;
        if (w > limit) value[i] = limit;
        else if (w < -limit) value[i] = -limit;
      }
    });
  }
};

/**
 * By what each output's weights are scaled on their way to the crossbar. Outputs that are all but switched off
 * count as a twentieth of the largest: their noise would else drown what normalisation measures.
 */
export const foldFactors = ({ layout, fold }: Parameter): Float32Array => {
  const factors = new Float32Array(layout?.outputs ?? 0).fill(1);
  if (!fold) return factors;
  for (let o = 0; o < factors.length; o++) {
    factors[o] = Math.abs(fold.gamma.value[o]!) / Math.sqrt(fold.variance.running[o]! + fold.epsilon);
  }
  const least = factors.reduce((most, factor) => Math.max(most, factor), 1e-6) / 20;
  return factors.map((factor) => Math.max(least, factor));
};

/** The layer's largest |W| on the crossbar. */
export const largestOnCrossbar = (value: Float32Array, layout: Layout, factors: Float32Array): number => {
  let most = 0;
  eachOutput(value.length, layout, (o, from, step, end) => {
    for (let i = from; i < end; i += step) most = Math.max(most, Math.abs(value[i]!) * factors[o]!);
  });
  return most;
};

/** Where the weights of each output lie: from, by steps, to before the end. */
export const eachOutput = (
  length: number,
  { outputs, order }: Layout,
  visit: (output: number, from: number, step: number, end: number) => void,
): void => {
  const inputs = length / outputs;
  for (let o = 0; o < outputs; o++) {
    if (order === "outputs first") visit(o, o * inputs, 1, (o + 1) * inputs);
    else visit(o, o, outputs, length);
  }
};
