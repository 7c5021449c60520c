import { meanNu, sigmaNu } from "../crossbar/devices/pcm-nandakumar-2019.ts";
import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { SequentialRandom } from "../random.ts";
import { eachOutput, foldFactors, type HardwareOptions, largestOnCrossbar } from "./hardware.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** t₀ of PCM drift, seconds after programming; as `devices/pcm-nandakumar-2019.ts`. */
const t0Seconds = 20;

/** Whether forward and backward need weights of their own. */
export const changesWeights = ({ weightNoise = 0, driftSeconds = 0, stuckDevices = 0 }: HardwareOptions): boolean =>
  weightNoise > 0 || driftSeconds > 0 || stuckDevices > 0;

/**
 * Age the weights in use as a chip of phase-change memory ages, at an age between 0 and `driftSeconds` that is drawn
 * evenly in log time, after global compensation:
 *
 *   w ← α w e^(−L ν)        L = u · ln((driftSeconds + t₀) / t₀), u uniform in 0 … 1, one for all layers
 *   ν = |μ_ν(r) + σ_ν(r) ξ|   r = |w| / max|W| on the crossbar; of one device a weight (Nandakumar et al., 2019)
 *   α = Σ|w before| / Σ|w after|   a layer
 *
 * What training learns from it is the spread of ν. Takes the gradients' block for the ξ: call it before they are summed.
 */
export const driftWeights = (
  parameters: Parameters,
  loops: LoopKernel,
  driftSeconds: number,
  random: SequentialRandom,
): void => {
  const logTime = random.uniform() * Math.log((driftSeconds + t0Seconds) / t0Seconds);
  const { gradient } = parameters;
  loops.fillGaussian(gradient.byteOffset, gradient.length, random.integer(2 ** 32), random.integer(2 ** 32));
  for (const parameter of parameters.parameters) {
    const { layout, value, used, gradient: xi } = parameter;
    if (!layout) continue;
    const factors = foldFactors(parameter);
    const most = largestOnCrossbar(value, layout, factors);
    if (most === 0) continue;
    let [before, after] = [0, 0];
    eachOutput(value.length, layout, (o, from, step, end) => {
      const factor = factors[o]!;
      for (let i = from; i < end; i += step) {
        const r = Math.max((Math.abs(value[i]!) * factor) / most, 1e-7);
        before += factor * Math.abs(used[i]!);
        used[i] = used[i]! * Math.exp(-logTime * Math.abs(meanNu(r) + sigmaNu(r) * xi[i]!));
        after += factor * Math.abs(used[i]!);
      }
    });
    if (after > 0) for (let i = 0; i < used.length; i++) used[i] = (used[i]! * before) / after;
  }
};

/**
 * Put a part of the weights in use to where a stuck device puts them: half of them to 0, a quarter each to + and − the
 * largest |W| of the layer on the crossbar. As many as the part says, to the nearest by chance, at random places.
 */
export const stickWeights = (parameters: Parameters, part: number, random: SequentialRandom): void => {
  for (const parameter of parameters.parameters) {
    const { layout, value, used } = parameter;
    if (!layout) continue;
    const factors = foldFactors(parameter);
    const most = largestOnCrossbar(value, layout, factors);
    const count = Math.floor(part * value.length + random.uniform());
    for (let n = 0; n < count; n++) {
      const i = random.integer(value.length);
      const kind = random.integer(4);
      used[i] = kind < 2 ? 0 : ((kind === 2 ? 1 : -1) * most) / factors[outputOf(parameter, i)]!;
    }
  }
};

const outputOf = ({ layout, length }: Parameter, i: number): number => {
  const outputs = layout?.outputs ?? 1;
  return layout?.order === "outputs first" ? Math.floor(i / (length / outputs)) : i % outputs;
};
