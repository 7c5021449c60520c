import type { DeviceModel, ProgrammedCells } from "./device.ts";

const gMinSiemens = 9e-6;
const gMaxSiemens = 88.2e-6;
const tReadSeconds = 1e-6;

/**
 * Resistive memory of conductive metal oxide on HfOx, analog in its switching, from Zurich; written with an acceptance
 * of 0.2 % of the target.
 *
 * Source  Falcone et al., IBM Research Zurich, as in aihwkit 1.1, ReRamCMONoiseModel.
 * Range   9 … 88.2 µS; the source begins 1 s after the write. Before, its shift and spread grow in proportion to time.
 * Models  spread of the write; a shift and a spread of relaxation that grow with ln t, with one standard deviate for
 *         a device all its life; read noise.
 * Omits   conductances outside the range (they are held at its ends), temperature, stuck devices.
 *
 *   σ_prog    = 0.00106879 g + 0.00081107 µS                           2 %: `cmoHfoxFalcone2Percent`
 *   g(t)      = clip(g₀ − 0.08900 ln t + (0.04201 ln t + 0.41183) ξ, 9, 88.2) µS
 *   σ_read(t) = 0.02773 log₁₀(g) √ln((t + 1 µs) / 2 µs) µS             g in µS, of the conductance at t
 */
export const cmoHfoxFalcone: DeviceModel = cmoHfox("cmo-hfox-falcone", (g) => 0.00106879 * g + 0.00081107);

/**
 * The same device written with an acceptance of 2 % of the target, which takes fewer pulses.
 *
 *   σ_prog    = 0.01129 g + 0.01122 µS
 */
export const cmoHfoxFalcone2Percent: DeviceModel = cmoHfox("cmo-hfox-falcone-2pc", (g) => 0.01129 * g + 0.01122);

function cmoHfox(name: string, programmingSigma: (microsiemens: number) => number): DeviceModel {
  return {
    name,
    gMinSiemens,
    gMaxSiemens,
    fittedSiemens: [gMinSiemens, gMaxSiemens],
    hasReadNoise: true,
    program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
      for (let d = 0; d < targetsSiemens.length; d++) {
        const target = targetsSiemens[d]! * 1e6;
        g0Siemens[d] = held((target + programmingSigma(target) * deviates[2 * d]!) * 1e-6);
        drift[d] = deviates[2 * d + 1]!;
        noise[d] = 1;
      }
    },
    conductances,
    oneOverF: {
      bornSeconds: tReadSeconds,
      amplitudes: (cells, ageSeconds, outSiemens) => {
        conductances(cells, ageSeconds, outSiemens);
        for (let d = 0; d < outSiemens.length; d++) outSiemens[d] = 0.02773 * Math.log10(outSiemens[d]! * 1e6) * 1e-6;
      },
    },
    readVariances(cells, ageSeconds, outSquareSiemens) {
      conductances(cells, ageSeconds, outSquareSiemens);
      const logReads = Math.log((Math.max(ageSeconds, tReadSeconds) + tReadSeconds) / (2 * tReadSeconds));
      for (let d = 0; d < outSquareSiemens.length; d++) {
        const sigma = 0.02773 * Math.log10(outSquareSiemens[d]! * 1e6) * 1e-6;
        outSquareSiemens[d] = sigma * sigma * logReads;
      }
    },
  };
}

const held = (siemens: number): number => Math.min(Math.max(siemens, gMinSiemens), gMaxSiemens);

function conductances({ g0Siemens, drift }: ProgrammedCells, ageSeconds: number, outSiemens: Float32Array): void {
  const logTime = Math.log(Math.max(ageSeconds, 1));
  const begun = Math.min(ageSeconds, 1);
  const shift = -0.089 * logTime * 1e-6;
  const sigma = (0.04201 * logTime + 0.41183) * begun * 1e-6;
  for (let d = 0; d < outSiemens.length; d++) outSiemens[d] = held(g0Siemens[d]! + shift + sigma * drift[d]!);
}
