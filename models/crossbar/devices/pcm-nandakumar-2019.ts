import type { DeviceModel } from "./device.ts";

/**
 * Phase-change memory, doped Ge₂Sb₂Te₅ mushroom cells of 90 nm.
 *
 * Source  Nandakumar, Boybat, Joshi, Piveteau, Le Gallo, Rajendran, Sebastian, Eleftheriou, "Phase-change memory
 *         models for deep learning training and inference", ICECS 2019; used by Joshi et al., Nat. Commun. 11:2473
 *         (2020). Fitted on an array of a million devices.
 * Range   0 … 25 µS; ages from t₀ = 20 s after the write, where age is zero, on; room temperature.
 * Models  spread of iterative programming; drift with an exponent that differs from device to device; 1/f read
 *         noise as the spread of one read of 250 ns.
 * Omits   correlation of the 1/f noise between reads (each read is independent), clipping of a single noisy read
 *         at zero, temperature, IR drop, stuck devices.
 *
 *   σ_prog(r) = max(0.26348 + 1.9650 r − 1.1731 r², 0) µS              r = g_target / g_max
 *   g₀        = max(g_target + σ_prog ξ₁, 0)                           ξ of N(0, 1)
 *   ν         = |μ_ν + σ_ν ξ₂|
 *   μ_ν(r)    = clip(−0.0155 ln r + 0.0244, 0.049, 0.1)
 *   σ_ν(r)    = clip(−0.0125 ln r − 0.0059, 0.008, 0.045)
 *   g(t)      = g₀ ((t + t₀) / t₀)^−ν                                  t = age, s
 *   Q(r)      = min(0.0088 / r^0.65, 0.2)                              of the target, as the paper has it
 *   σ_read(t) = g(t) Q √ln((t + t₀ + t_read) / (2 t_read))             t_read = 250 ns
 */
export const pcmNandakumar2019: DeviceModel = {
  name: "pcm-nandakumar-2019",
  gMinSiemens: 0,
  gMaxSiemens: 25e-6,
  hasReadNoise: true,
  program(targetsSiemens, random, { g0Siemens, drift, noise }) {
    for (let d = 0; d < targetsSiemens.length; d++) {
      const r = targetsSiemens[d]! / gMaxSiemens;
      g0Siemens[d] = Math.max(targetsSiemens[d]! + programmingSigmaSiemens(r) * random.gaussianAt(2 * d), 0);
      drift[d] = Math.abs(meanNu(r) + sigmaNu(r) * random.gaussianAt(2 * d + 1));
      noise[d] = readNoise(r);
    }
  },
  conductances({ g0Siemens, drift }, ageSeconds, outSiemens) {
    const logTime = Math.log((ageSeconds + t0Seconds) / t0Seconds);
    for (let d = 0; d < outSiemens.length; d++) outSiemens[d] = g0Siemens[d]! * Math.exp(-drift[d]! * logTime);
  },
  readVariances({ g0Siemens, drift, noise }, ageSeconds, outSquareSiemens) {
    const logTime = Math.log((ageSeconds + t0Seconds) / t0Seconds);
    const logReads = Math.log((ageSeconds + t0Seconds + tReadSeconds) / (2 * tReadSeconds));
    for (let d = 0; d < outSquareSiemens.length; d++) {
      const amplitude = g0Siemens[d]! * noise[d]! * Math.exp(-drift[d]! * logTime);
      outSquareSiemens[d] = amplitude * amplitude * logReads;
    }
  },
};

const gMaxSiemens = 25e-6;
const t0Seconds = 20;
const tReadSeconds = 250e-9;

/** σ_prog of a target, S; `r` = g_target / g_max, as in the functions below. */
export const programmingSigmaSiemens = (r: number): number => Math.max(0.26348 + 1.965 * r - 1.1731 * r * r, 0) * 1e-6;

/** μ_ν, mean of the drift exponent before its absolute value is taken. */
export const meanNu = (r: number): number => clip(-0.0155 * Math.log(Math.max(r, 1e-7)) + 0.0244, 0.049, 0.1);

/** σ_ν, spread of the drift exponent. */
export const sigmaNu = (r: number): number => clip(-0.0125 * Math.log(Math.max(r, 1e-7)) - 0.0059, 0.008, 0.045);

/** Q, the relative strength of the 1/f noise. */
export const readNoise = (r: number): number => Math.min(0.0088 / Math.max(r ** 0.65, 1e-3), 0.2);

const clip = (x: number, from: number, to: number): number => Math.min(Math.max(x, from), to);
