/** A periodic Hann window, `½ (1 − cos 2πn/N)`, [samples]: shifted by N/2 and added to itself it gives 1. */
export const hann = (samples: number): Float64Array =>
  Float64Array.from({ length: samples }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples));

/** The modified Bessel function of the first kind and order 0, by its series, to double precision for |x| < 30. */
export const besselI0 = (x: number): number => {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 80 && term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
};

/**
 * Kaiser's window at `position` −1 … 1, 0 outside. `beta = 0.1102 (A − 8.7)` gives A > 50 dB of stop-band attenuation.
 * Source: Kaiser 1974; Oppenheim & Schafer, Discrete-Time Signal Processing, 7.6.
 */
export const kaiser = (position: number, beta: number): number =>
  Math.abs(position) > 1 ? 0 : besselI0(beta * Math.sqrt(1 - position * position)) / besselI0(beta);
