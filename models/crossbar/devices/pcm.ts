import { assumedPulse, type DeviceModel, type TemperatureModel } from "./device.ts";

/** What tells one phase-change device from another in the model of Nandakumar et al. 2019; r = g_target / g_max. */
export interface PcmParameters {
  readonly name: string;
  readonly gMaxSiemens: number;
  /** Time after the write at which age is zero, s. */
  readonly t0Seconds: number;
  /** Duration of one read, s. */
  readonly tReadSeconds: number;
  /** σ_prog(r), S. */
  readonly programmingSigmaSiemens: (r: number) => number;
  /** μ_ν(r), mean of the drift exponent before its absolute value is taken. */
  readonly meanNu: (r: number) => number;
  /** σ_ν(r), spread of the drift exponent. */
  readonly sigmaNu: (r: number) => number;
  /** Q(r), the relative strength of the 1/f noise. */
  readonly readNoise: (r: number) => number;
}

/**
 * An assumption, as the sources measure at room temperature alone. Relaxation of the amorphous part climbs barriers of
 * kT ln(t · 10¹³/s), where Le Gallo et al., Adv. Electron. Mater. 4 (2018) have it collective: 0.77 eV after a second,
 * 1.06 eV after a day; 0.9 stands for both. Conduction of amorphous material is activated by some 0.2 eV, of crystalline
 * by next to nothing, and a device is between them as its conductance is.
 */
const pcmTemperature: TemperatureModel = {
  ageingElectronvolts: 0.9,
  conductionElectronvolts: (part) => 0.2 * (1 - part) + 0.02 * part,
};

/**
 * The model that phase-change devices share; each file of one gives source, range and parameters.
 *
 *   g₀        = max(g_target + σ_prog(r) ξ₁, 0)                        ξ of N(0, 1)
 *   ν         = |μ_ν(r) + σ_ν(r) ξ₂|
 *   g(t)      = g₀ ((t + t₀) / t₀)^−ν                                  t = age, s
 *   Q         = Q(r) of the target, as Nandakumar et al. have it
 *   σ_read(t) = g(t) Q √ln((t + t₀ + t_read) / (2 t_read))
 */
export const pcmDevice = (parameters: PcmParameters): DeviceModel => {
  const { name, gMaxSiemens, t0Seconds, tReadSeconds, programmingSigmaSiemens, meanNu, sigmaNu, readNoise } =
    parameters;
  return {
    name,
    gMinSiemens: 0,
    gMaxSiemens,
    fittedSiemens: [0, gMaxSiemens],
    hasReadNoise: true,
    temperature: pcmTemperature,
    pulse: { ...assumedPulse, readSeconds: tReadSeconds },
    program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
      for (let d = 0; d < targetsSiemens.length; d++) {
        const r = targetsSiemens[d]! / gMaxSiemens;
        g0Siemens[d] = Math.max(targetsSiemens[d]! + programmingSigmaSiemens(r) * deviates[2 * d]!, 0);
        drift[d] = Math.abs(meanNu(r) + sigmaNu(r) * deviates[2 * d + 1]!);
        noise[d] = readNoise(r);
      }
    },
    conductances({ g0Siemens, drift }, ageSeconds, outSiemens) {
      const logTime = Math.log((ageSeconds + t0Seconds) / t0Seconds);
      for (let d = 0; d < outSiemens.length; d++) outSiemens[d] = g0Siemens[d]! * Math.exp(-drift[d]! * logTime);
    },
    oneOverF: {
      bornSeconds: t0Seconds,
      amplitudes({ g0Siemens, drift, noise }, ageSeconds, outSiemens) {
        const logTime = Math.log((ageSeconds + t0Seconds) / t0Seconds);
        for (let d = 0; d < outSiemens.length; d++) {
          outSiemens[d] = g0Siemens[d]! * noise[d]! * Math.exp(-drift[d]! * logTime);
        }
      },
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
};

/** x, but at least `from` and at most `to`. */
export const clip = (x: number, from: number, to: number): number => Math.min(Math.max(x, from), to);

/** ln r, finite at zero as the source has it. */
export const logOf = (r: number): number => Math.log(Math.max(r, 1e-7));
