/** How many numbers describe a beat's rhythm, and how many its shape. */
export const numbersOfBeat = 24;

const most = 4;
const least = 1e-4;

/** A number that describes a beat lies within ±4: what goes beyond says no more. */
export const bounded = (value: number): number => Math.max(-most, Math.min(most, value));

/** `gain · ln(value / usual)`, bounded: 0 where it is as usual, the same whatever the unit. */
export const logRatio = (value: number, usual: number, gain = 4): number =>
  bounded(gain * Math.log(Math.max(value, least) / Math.max(usual, least)));
