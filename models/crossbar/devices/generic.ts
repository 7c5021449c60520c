import type { DeviceModel } from "./device.ts";

/** A device in a few numbers, for what has no model of its own or to see what a property costs. */
export interface GenericParameters {
  readonly gMinSiemens: number;
  readonly gMaxSiemens: number;
  /** Spread of a write, as a share of g_max. */
  readonly programmingSigma: number;
  /** Mean and spread of the drift exponent. */
  readonly nu: number;
  readonly nuSigma: number;
  /** Time after the write at which age is zero, s. */
  readonly t0Seconds: number;
  /** Spread of one read, as a share of the conductance. */
  readonly readSigma: number;
}

/**
 * A device of given range, write spread, power-law drift and read noise; the numbers are the user's.
 *
 *   g₀       = max(g_target + σ_prog g_max ξ₁, 0)
 *   g(t)     = g₀ ((t + t₀) / t₀)^−max(ν + σ_ν ξ₂, 0)
 *   σ_read   = readSigma · g(t)
 *
 * @throws RangeError with the parameter, its limit and the value
 */
export const genericDevice = (parameters: GenericParameters, name = "generic"): DeviceModel => {
  check(parameters);
  const { gMinSiemens, gMaxSiemens, programmingSigma, nu, nuSigma, t0Seconds, readSigma } = parameters;
  const sigmaSiemens = programmingSigma * gMaxSiemens;
  return {
    name,
    gMinSiemens,
    gMaxSiemens,
    hasReadNoise: readSigma > 0,
    program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
      for (let d = 0; d < targetsSiemens.length; d++) {
        g0Siemens[d] = Math.max(targetsSiemens[d]! + sigmaSiemens * deviates[2 * d]!, 0);
        drift[d] = Math.max(nu + nuSigma * deviates[2 * d + 1]!, 0);
        noise[d] = readSigma;
      }
    },
    conductances({ g0Siemens, drift }, ageSeconds, outSiemens) {
      const logTime = Math.log((ageSeconds + t0Seconds) / t0Seconds);
      for (let d = 0; d < outSiemens.length; d++) outSiemens[d] = g0Siemens[d]! * Math.exp(-drift[d]! * logTime);
    },
    readVariances(cells, ageSeconds, outSquareSiemens) {
      this.conductances(cells, ageSeconds, outSquareSiemens);
      for (let d = 0; d < outSquareSiemens.length; d++) outSquareSiemens[d] = (readSigma * outSquareSiemens[d]!) ** 2;
    },
  };
};

const check = (parameters: GenericParameters): void => {
  const { gMinSiemens, gMaxSiemens, t0Seconds } = parameters;
  for (const key of ["gMinSiemens", "programmingSigma", "nu", "nuSigma", "readSigma"] as const) {
    const value = parameters[key];
    if (!(value >= 0 && value < Infinity)) throw new RangeError(`${key}: expected a number ≥ 0, got ${value}`);
  }
  if (!(gMaxSiemens > gMinSiemens && gMaxSiemens < Infinity)) {
    throw new RangeError(`gMaxSiemens: expected more than gMinSiemens = ${gMinSiemens}, got ${gMaxSiemens}`);
  }
  if (!(t0Seconds > 0 && t0Seconds < Infinity)) {
    throw new RangeError(`t0Seconds: expected a number > 0, got ${t0Seconds}`);
  }
};

/** A middling device: writes within 2 % of g_max, drifts with ν = 0.03 ± 0.01, reads within 1 %. */
export const generic = genericDevice({
  gMinSiemens: 0.1e-6,
  gMaxSiemens: 25e-6,
  programmingSigma: 0.02,
  nu: 0.03,
  nuSigma: 0.01,
  t0Seconds: 1,
  readSigma: 0.01,
});
