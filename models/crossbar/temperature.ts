import type { DeviceModel } from "./devices/device.ts";

/** The temperature of all published fits, °C: there nothing below changes a bit. */
export const referenceCelsius = 25;

const electronvoltsPerKelvin = 8.617333262e-5; // Boltzmann's constant

/** 1 / kT at the reference less that at a temperature, 1 / eV: positive in the heat. */
const coldness = (celsius: number): number =>
  1 / (electronvoltsPerKelvin * (referenceCelsius + 273.15)) - 1 / (electronvoltsPerKelvin * (celsius + 273.15));

/**
 * How many seconds at the reference temperature age a device as much as `seconds` at `celsius`:
 *
 *   seconds · exp(E_a (1 / kT₀ − 1 / kT))
 *
 * An assumption: relaxation is one activated process with one energy, so that its clock runs faster in the heat and
 * stops in the cold, and ages at different temperatures add up. Devices without a model age alike everywhere.
 * @throws RangeError unless the temperature is one that electronics know
 */
export const secondsAtReference = (device: DeviceModel, seconds: number, celsius: number): number => {
  checkCelsius(celsius);
  if (celsius === referenceCelsius || !device.temperature) return seconds;
  return seconds * Math.exp(device.temperature.ageingElectronvolts * coldness(celsius));
};

/**
 * Multiply conductances, or with `power` 2 variances of reads, by what a temperature does to conduction:
 *
 *   g(T) = g(T₀) · exp(E_g (1 / kT₀ − 1 / kT))
 *
 * An assumption too; noise keeps its size relative to the conductance.
 *
 * @param g0Siemens of the devices when written, from which E_g follows
 */
export const atTemperature = (
  { temperature, gMaxSiemens }: DeviceModel,
  g0Siemens: Float32Array,
  celsius: number,
  power: 1 | 2,
  values: Float32Array,
): void => {
  if (celsius === referenceCelsius || !temperature) return;
  const exponent = power * coldness(celsius);
  for (let d = 0; d < values.length; d++) {
    const part = Math.min(1, g0Siemens[d]! / gMaxSiemens);
    values[d] = values[d]! * Math.exp(temperature.conductionElectronvolts(part) * exponent);
  }
};

/** @throws RangeError outside −55 … 150 °C, what electronics are made for */
export const checkCelsius = (celsius: number): void => {
  if (!(celsius >= -55 && celsius <= 150)) throw new RangeError(`celsius: expected −55 … 150, got ${celsius}`);
};
