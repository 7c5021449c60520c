import type { Hardware } from "../models/crossbar/array-spec.ts";
import type { DeviceModel } from "../models/crossbar/devices/device.ts";
import type { FaultRates } from "../models/crossbar/faults.ts";
import { secondsAtReference } from "../models/crossbar/temperature.ts";
import type { AnalogNetwork } from "../models/network/analog.ts";

/** Chips that differ from the plain ones: how they hold and read weights, what is wrong with them, how warm they are. */
export interface ChipHardware {
  readonly hardware?: Hardware;
  readonly faults?: FaultRates;
  /** All their life, °C. */
  readonly celsius?: number;
}

/** What `AnalogNetwork` takes of it. */
export const networkOptionsOf = ({ hardware, faults }: ChipHardware) => ({ ...hardware, ...(faults && { faults }) });

/** Bring a chip to an age that it reached at its temperature. */
export const ageAt = (chip: AnalogNetwork, device: DeviceModel, seconds: number, { celsius }: ChipHardware): void => {
  if (celsius === undefined) chip.ageTo(seconds);
  else chip.ageTo(secondsAtReference(device, seconds, celsius), celsius);
};

/** In words: `2 pairs a weight, 60 °C`; empty for plain chips. */
export const hardwareText = ({ hardware = {}, faults = {}, celsius }: ChipHardware): string => {
  const { pairs, pairing, scaleByColumn, weightSlices, inputSliceBits, converters, verify, readVolts } = hardware;
  const { inputCoding, outputNoise, slowNoise } = hardware;
  const part = (rate: number): string => `${Number((100 * rate).toPrecision(3))} %`;
  return [
    pairs !== undefined && `${pairs} pairs a weight`,
    pairing,
    scaleByColumn && "a scale a column",
    weightSlices && `weights of ${weightSlices.bits} bits in ${weightSlices.count} digits`,
    inputSliceBits !== undefined && `inputs in digits of ${inputSliceBits} bits`,
    converters && `${converters} converters`,
    verify &&
      `written to ±${Number((1e6 * verify.acceptanceSiemens).toPrecision(3))} µS in at most ${verify.maxPulses} pulses`,
    readVolts !== undefined && `read at ${readVolts} V${inputCoding ? ` by ${inputCoding}` : ""}`,
    outputNoise !== undefined && `converters that add ${part(outputNoise)} of full scale`,
    slowNoise && "slow noise followed",
    faults.stuckLow !== undefined && `${part(faults.stuckLow)} of devices stuck low`,
    faults.stuckHigh !== undefined && `${part(faults.stuckHigh)} stuck high`,
    faults.openWordLines !== undefined && `${part(faults.openWordLines)} of word lines open`,
    faults.openBitLines !== undefined && `${part(faults.openBitLines)} of bit lines open`,
    celsius !== undefined && `${celsius} °C`,
  ]
    .filter((text) => typeof text === "string")
    .join(", ");
};
