import type { DeviceModel } from "./device.ts";

const gMinSiemens = 50e-6;
const gMaxSiemens = 225e-6;

/**
 * Resistive memory (HfO₂) in the range of conductances where it is written most exactly; its current is not linear in
 * the voltage.
 *
 * Source  Milo et al., IRPS 2021; fits as in CrossSim 3.2.
 * Range   50 … 225 µS; ±0.5 V.
 * Models  spread of the write; the I–V curve.
 * Omits   drift and read noise, of which the source gives no fit; temperature.
 *
 *   σ_prog    = 4.782321 − 0.009107 g µS                               g in µS
 *   I         = g V + NL₂ V² + NL₃ V³                                  A, V, S
 *   NL₂       = 1.388e-4 L³ + 1.541e-3 L² + 5.711e-3 L + 7.063e-3      L = log₁₀ g
 *   NL₃       = 8.871e-5 L² + 6.7919e-4 L + 1.2968e-3
 */
export const rramMilo2021: DeviceModel = {
  name: "rram-milo-2021",
  gMinSiemens,
  gMaxSiemens,
  fittedSiemens: [gMinSiemens, gMaxSiemens],
  hasReadNoise: false,
  program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
    for (let d = 0; d < targetsSiemens.length; d++) {
      const target = targetsSiemens[d]!;
      const written = target + miloSigmaSiemens(target) * deviates[2 * d]!;
      g0Siemens[d] = Math.max(written, 0);
    }
    drift.fill(0);
    noise.fill(0);
  },
  conductances({ g0Siemens }, _ageSeconds, outSiemens) {
    outSiemens.set(g0Siemens.subarray(0, outSiemens.length));
  },
  readVariances(_cells, _ageSeconds, outSquareSiemens) {
    outSquareSiemens.fill(0);
  },
  currentCoefficients(siemens) {
    const l = Math.log10(siemens);
    const nl2 = ((1.388e-4 * l + 1.541e-3) * l + 5.711e-3) * l + 7.063e-3;
    const nl3 = (8.871e-5 * l + 6.7919e-4) * l + 1.2968e-3;
    return [siemens, nl2, nl3];
  },
};

/** σ of a write, S, of a target in S. */
export const miloSigmaSiemens = (siemens: number): number => (4.782321 - 0.009107 * siemens * 1e6) * 1e-6;
