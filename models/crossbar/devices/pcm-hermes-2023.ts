import { clip, logOf, pcmDevice } from "./pcm.ts";

/** μ_ν of the devices of the HERMES chip; r = g_target / g_max. */
export const meanNu = (r: number): number =>
  r < 0.0945 ? clip(-0.0387 * logOf(r) - 0.0182, 0.072, 0.13) : -0.0436 * r * r - 0.0126 * r + 0.0736;

const sigmaNuOfOne = (r: number): number =>
  r < 0.3039 ? clip(-0.012 * logOf(r) - 0.0023, 0.0124, 0.04) : -0.0165 * r * r + 0.0116 * r + 0.0104;

const sigmaNuOfTwo = (r: number): number =>
  r < 0.3055 ? clip(-0.0117 * logOf(r) - 0.0057, 0.0091, 0.04) : -0.0118 * r * r + 0.0093 * r + 0.0073;

/** Q of one device: the relative strength of its 1/f noise. */
export const readNoiseOfOne = (r: number): number =>
  r < 0.1591 ? clip(-0.0078 * logOf(r) + 0.0038, 0.0179, 0.04) : 0.0664 * r ** 3 - 0.1352 * r * r + 0.0768 * r + 0.0088;

/** Q of two devices in parallel. */
export const readNoiseOfTwo = (r: number): number =>
  r < 0.16 ? clip(-0.0117 * logOf(r) - 0.0069, 0.015, 0.04) : 0.0069 * r ** 3 - 0.028 * r * r + 0.0211 * r + 0.0123;

/**
 * Phase-change memory of IBM's 64-core HERMES project chip, 14 nm, one device a conductance.
 *
 * Source  Le Gallo et al., Nat. Electron. 6:680 (2023); Khaddam-Aljameh et al., IEEE JSSC 57:1027 (2022). Constants as
 *         in aihwkit 1.1, HermesNoiseModel.
 * Range   0 … 10.35 µS; ages from t₀ = 200 s after the write; room temperature; reads of 512 ns.
 * Models  as `pcm.ts`.
 * Omits   what `pcm-nandakumar-2019` omits.
 *
 *   σ_prog(r) = 0.15781817 + 2.32443916 r − 2.16310839 r² + 0.68841818 r³ µS       r = g_target / g_max
 *   μ_ν(r)    = clip(−0.0387 ln r − 0.0182, 0.0720, 0.13) below 0.0945, else −0.0436 r² − 0.0126 r + 0.0736
 *   σ_ν(r)    = clip(−0.0120 ln r − 0.0023, 0.0124, 0.04) below 0.3039, else −0.0165 r² + 0.0116 r + 0.0104
 *   Q(r)      = clip(−0.0078 ln r + 0.0038, 0.0179, 0.04) below 0.1591, else 0.0664 r³ − 0.1352 r² + 0.0768 r + 0.0088
 */
export const pcmHermes2023 = pcmDevice({
  name: "pcm-hermes-2023",
  gMaxSiemens: 10.35e-6,
  t0Seconds: 200,
  tReadSeconds: 512e-9,
  programmingSigmaSiemens: (r) => (0.15781817 + 2.32443916 * r - 2.16310839 * r * r + 0.68841818 * r * r * r) * 1e-6,
  meanNu,
  sigmaNu: sigmaNuOfOne,
  readNoise: readNoiseOfOne,
});

/**
 * The same chip with two devices a conductance, in parallel and programmed as one.
 *
 * Source  Vasilopoulos et al., IEEE Trans. Electron Devices (2023). Constants as in aihwkit 1.1, HermesNoiseModel.
 * Range   0 … 20.7 µS; ages from t₀ = 300 s after the write.
 *
 *   σ_prog(r) = 0.16603222 + 4.71806468 r − 8.48101252 r² + 4.68961419 r³ µS
 *   σ_ν(r)    = clip(−0.0117 ln r − 0.0057, 0.0091, 0.04) below 0.3055, else −0.0118 r² + 0.0093 r + 0.0073
 *   Q(r)      = clip(−0.0117 ln r − 0.0069, 0.015, 0.04) below 0.16, else 0.0069 r³ − 0.0280 r² + 0.0211 r + 0.0123
 */
export const pcmHermes2023Two = pcmDevice({
  name: "pcm-hermes-2023-two",
  gMaxSiemens: 20.7e-6,
  t0Seconds: 300,
  tReadSeconds: 512e-9,
  programmingSigmaSiemens: (r) => (0.16603222 + 4.71806468 * r - 8.48101252 * r * r + 4.68961419 * r * r * r) * 1e-6,
  meanNu,
  sigmaNu: sigmaNuOfTwo,
  readNoise: readNoiseOfTwo,
});
