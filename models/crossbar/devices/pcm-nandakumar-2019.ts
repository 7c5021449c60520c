import { clip, logOf, pcmDevice } from "./pcm.ts";

/** σ_prog of a target, S; `r` = g_target / g_max, as in the functions below. */
export const programmingSigmaSiemens = (r: number): number => Math.max(0.26348 + 1.965 * r - 1.1731 * r * r, 0) * 1e-6;

/** μ_ν, mean of the drift exponent before its absolute value is taken. */
export const meanNu = (r: number): number => clip(-0.0155 * logOf(r) + 0.0244, 0.049, 0.1);

/** σ_ν, spread of the drift exponent. */
export const sigmaNu = (r: number): number => clip(-0.0125 * logOf(r) - 0.0059, 0.008, 0.045);

/** Q, the relative strength of the 1/f noise. */
export const readNoise = (r: number): number => Math.min(0.0088 / Math.max(r ** 0.65, 1e-3), 0.2);

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
 *         at zero. Temperature is assumed (`pcm.ts`); wires and stuck devices are the tile's.
 *
 *   σ_prog(r) = max(0.26348 + 1.9650 r − 1.1731 r², 0) µS              r = g_target / g_max; the rest in `pcm.ts`
 *   μ_ν(r)    = clip(−0.0155 ln r + 0.0244, 0.049, 0.1)
 *   σ_ν(r)    = clip(−0.0125 ln r − 0.0059, 0.008, 0.045)
 *   Q(r)      = min(0.0088 / r^0.65, 0.2)
 */
export const pcmNandakumar2019 = pcmDevice({
  name: "pcm-nandakumar-2019",
  gMaxSiemens: 25e-6,
  t0Seconds: 20,
  tReadSeconds: 250e-9,
  programmingSigmaSiemens,
  meanNu,
  sigmaNu,
  readNoise,
});
