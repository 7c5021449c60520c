import type { DeviceModel } from "./device.ts";

const gMaxSiemens = 40e-6;

/** Coefficients of σ in µS, ascending powers of r = g_target / g_max, at ages in seconds after the write. */
const fits: readonly { readonly seconds: number; readonly coefficients: readonly number[] }[] = [
  { seconds: 1, coefficients: [0.348, 16.03, -43.853, 45.393, -16.815] },
  { seconds: 86_400, coefficients: [0.701, 22.086, -50.773, 47.095, -16.458] },
  { seconds: 172_800, coefficients: [0.782, 20.274, -43.507, 37.062, -11.934] },
];

const readSigmaRelative = 0.01;
const writtenSeconds = 1; // what the first fit belongs to: age zero

/**
 * Resistive memory (HfOx, 130 nm) of the NeuRRAM chip: no mean drift, but each device relaxes away from its target.
 *
 * Source  Wan et al., Nature 608:504 (2022), extended data figure 3; fits as in aihwkit 1.1, ReRamWan2022NoiseModel.
 * Range   0 … 40 µS; ages from 1 s after the write, where age is zero, on. The fits are of 1 s, 1 day and 2 days.
 * Models  spread that grows with the logarithm of time, the same standard deviate for a device all its life, so that
 *         its path is continuous; short-term read noise of 1 % of the conductance (assumed; the source gives none).
 * Omits   steps and returns of single devices in relaxation, temperature, stuck devices.
 *
 *   g(t)      = max(g_target + σ(r, t) ξ, 0)                           r = g_target / g_max, t = age + 1 s
 *   σ(r, t)   = linear in ln t between the fits; beyond 2 days it goes on as between 1 and 2 days, never falling
 *   σ_read    = 0.01 g
 */
export const rramWan2022: DeviceModel = {
  name: "rram-wan-2022",
  gMinSiemens: 0,
  gMaxSiemens,
  fittedSiemens: [0, gMaxSiemens],
  hasReadNoise: true,
  program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
    for (let d = 0; d < targetsSiemens.length; d++) {
      const target = targetsSiemens[d]!;
      drift[d] = deviates[2 * d]!;
      noise[d] = target;
      g0Siemens[d] = Math.max(target + relaxationSigmaSiemens(target / gMaxSiemens, writtenSeconds) * drift[d]!, 0);
    }
  },
  conductances({ g0Siemens, drift, noise }, ageSeconds, outSiemens) {
    if (ageSeconds === 0) return void outSiemens.set(g0Siemens.subarray(0, outSiemens.length));
    for (let d = 0; d < outSiemens.length; d++) {
      const sigma = relaxationSigmaSiemens(noise[d]! / gMaxSiemens, ageSeconds + writtenSeconds);
      outSiemens[d] = Math.max(noise[d]! + sigma * drift[d]!, 0);
    }
  },
  readVariances(cells, ageSeconds, outSquareSiemens) {
    this.conductances(cells, ageSeconds, outSquareSiemens);
    for (let d = 0; d < outSquareSiemens.length; d++) {
      outSquareSiemens[d] = (readSigmaRelative * outSquareSiemens[d]!) ** 2;
    }
  },
};

/** σ of a device about its target, S; `r` = g_target / g_max, `seconds` ≥ 1 since the write. */
export const relaxationSigmaSiemens = (r: number, seconds: number): number => {
  const last = fits.length - 2;
  const i = seconds < fits[1]!.seconds ? 0 : last;
  const [before, after] = [fits[i]!, fits[i + 1]!];
  const share = Math.log(seconds / before.seconds) / Math.log(after.seconds / before.seconds);
  const [from, to] = [polynomial(before.coefficients, r), polynomial(after.coefficients, r)];
  const growth = share > 1 ? Math.max(to - from, 0) : to - from;
  return Math.max(share > 1 ? to + growth * (share - 1) : from + growth * share, 0) * 1e-6;
};

const polynomial = (ascending: readonly number[], x: number): number =>
  ascending.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
