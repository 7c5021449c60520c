import type { DeviceModel } from "./device.ts";

const readVolts = 0.1;
const maxNanoamperes = 1600;
const siemensOf = (nanoamperes: number): number => (nanoamperes * 1e-9) / readVolts;
const nanoamperesOf = (siemens: number): number => siemens * readVolts * 1e9;

/** Days after the write and the A, B of σ(I) = A − A exp(−I / B), nA. */
const spread: readonly (readonly [days: number, a: number, b: number])[] = [
  [0, 19.88665, 176.3115],
  [1, 25.59102, 186.85544],
  [2, 28.72753, 193.56834],
  [3, 31.043, 198.9],
  [4, 33.762, 204.8],
  [5, 34.57909, 207.34309],
];

/** Written currents, nA, and how far the mean current has moved from them after some days, nA. */
const currents: readonly number[] = [0, 1, 10, 50, 100, 200, 400, 800, 1200, 1600];
const shift: readonly (readonly [days: number, shifts: readonly number[]])[] = [
  [0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  [1, [0, 0.2293, 0.6801, 1.7046, 1.7352, 1.0125, 0.6155, -3.8268, -7.3126, -11.5322]],
  [2, [0, 0.3163, 0.8475, 2.1879, 2.4305, 1.5188, -0.0723, -8.0016, -15.0652, -22.3724]],
  [5, [0, 0.4255, 1.2862, 3.547, 4.1178, 2.6429, -1.4679, -15.1731, -28.5382, -40.6984]],
];

/**
 * Charge-trap transistor (SONOS, 40 nm) read in its subthreshold region: a current, taken here as a conductance at a
 * read voltage of 0.1 V.
 *
 * Source  Agrawal et al., IEDM 2022; constants and mean drift as in CrossSim 3.2.
 * Range   0 … 1600 nA, that is 0 … 16 µS; ages to 5 days. Later the state stays as it was after 5 days: the source ends.
 * Models  spread and mean shift that grow from day to day (linear between), with one standard deviate for a device all
 *         its life; read noise.
 * Omits   the shape of the I–V curve, temperature, endurance.
 *
 *   I(t)      = max(I + σ(I, t) ξ, 0) nA                               I = I_target + shift(I_target, t)
 *   σ(I, t)   = A(t) − A(t) exp(−I / B(t))
 *   σ_read    = 12.58037 − 12.58037 exp(−I / 215.36557) nA
 *   shift     = table of days × currents, linear in both
 */
export const sonosAgrawal2022: DeviceModel = {
  name: "sonos-agrawal-2022",
  gMinSiemens: 0,
  gMaxSiemens: siemensOf(maxNanoamperes),
  fittedSiemens: [0, siemensOf(maxNanoamperes)],
  hasReadNoise: true,
  program(targetsSiemens, deviates, { g0Siemens, drift, noise }) {
    for (let d = 0; d < targetsSiemens.length; d++) {
      drift[d] = deviates[2 * d]!;
      noise[d] = targetsSiemens[d]!;
      const target = nanoamperesOf(noise[d]!);
      g0Siemens[d] = siemensOf(Math.max(target + sonosSigmaNanoamperes(target, 0) * drift[d]!, 0));
    }
  },
  conductances({ g0Siemens, drift, noise }, ageSeconds, outSiemens) {
    if (ageSeconds === 0) return void outSiemens.set(g0Siemens.subarray(0, outSiemens.length));
    const days = ageSeconds / 86_400;
    for (let d = 0; d < outSiemens.length; d++) {
      const target = nanoamperesOf(noise[d]!);
      const mean = target + sonosShiftNanoamperes(target, days);
      outSiemens[d] = siemensOf(Math.max(mean + sonosSigmaNanoamperes(mean, days) * drift[d]!, 0));
    }
  },
  readVariances(cells, ageSeconds, outSquareSiemens) {
    this.conductances(cells, ageSeconds, outSquareSiemens);
    for (let d = 0; d < outSquareSiemens.length; d++) {
      const sigma = siemensOf(sonosReadSigmaNanoamperes(nanoamperesOf(outSquareSiemens[d]!)));
      outSquareSiemens[d] = sigma * sigma;
    }
  },
};

/** σ of a current about its mean in nA, nA, after some days. */
export const sonosSigmaNanoamperes = (nanoamperes: number, days: number): number => {
  const [before, after, share] = between(spread, days);
  const a = before[1] + (after[1] - before[1]) * share;
  const b = before[2] + (after[2] - before[2]) * share;
  return a - a * Math.exp(-nanoamperes / b);
};

/** How far the mean current has moved from its target in nA, after some days, nA. */
export const sonosShiftNanoamperes = (nanoamperes: number, days: number): number => {
  const [before, after, share] = between(shift, days);
  const from = alongCurrents(before[1], nanoamperes);
  return from + (alongCurrents(after[1], nanoamperes) - from) * share;
};

/** σ of one read, nA, of a current in nA. */
export const sonosReadSigmaNanoamperes = (nanoamperes: number): number =>
  12.58037 - 12.58037 * Math.exp(-nanoamperes / 215.36557);

/** The rows before and after a day, and how far it lies between them, 0 … 1; the last row for all later days. */
const between = <Row extends readonly [number, ...unknown[]]>(
  rows: readonly Row[],
  days: number,
): readonly [before: Row, after: Row, share: number] => {
  const i = Math.min(
    rows.findLastIndex(([from]) => from <= days),
    rows.length - 2,
  );
  const [before, after] = [rows[i]!, rows[i + 1]!];
  return [before, after, Math.min((days - before[0]) / (after[0] - before[0]), 1)];
};

const alongCurrents = (values: readonly number[], nanoamperes: number): number => {
  const i = Math.min(
    currents.findLastIndex((from) => from <= nanoamperes),
    currents.length - 2,
  );
  const share = (nanoamperes - currents[i]!) / (currents[i + 1]! - currents[i]!);
  return values[i]! + (values[i + 1]! - values[i]!) * share;
};
