import { type Command, Option } from "commander";
import type { Hardware } from "../../models/crossbar/array-spec.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { devices } from "../../models/crossbar/devices/registry.ts";
import type { FaultRates } from "../../models/crossbar/faults.ts";
import type { ChipHardware } from "../chip-hardware.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, numberIn } from "./options.ts";

/** What the options below give. */
export interface HardwareOptions {
  readonly pairs?: number;
  readonly pairing?: Hardware["pairing"];
  readonly scaleByColumn?: true;
  readonly weightDigits?: number;
  readonly weightBits: number;
  readonly inputDigitBits?: number;
  readonly converters?: Hardware["converters"];
  readonly writeVerify?: number;
  readonly maxPulses: number;
  readonly readVolts?: number;
  readonly inputCoding?: Hardware["inputCoding"];
  readonly outputNoise?: number;
  readonly slowNoise?: true;
  readonly stuckLow?: number;
  readonly stuckHigh?: number;
  readonly openWordLines?: number;
  readonly openBitLines?: number;
  readonly celsius?: number;
}

/** Give a command the options of how chips hold and read weights, and of what is wrong with them. */
export const withHardwareOptions = (command: Command): Command =>
  command
    .option("--pairs <n>", "pairs that hold each weight together", integerIn(1, 16))
    .addOption(
      new Option("--pairing <way>", "whether one device of a pair holds a weight, or both").choices([
        "one-sided",
        "two-sided",
      ]),
    )
    .option("--scale-by-column", "let each column use the whole range of its devices")
    .option("--weight-digits <n>", "hold each weight in so many digits, on tiles of their own", integerIn(1, 15))
    .option("--weight-bits <n>", "bits of a weight in digits, sign among them", integerIn(2, 16), 8)
    .option("--input-digit-bits <n>", "read inputs in digits of so many bits, one after the other", integerIn(1, 11))
    .addOption(
      new Option("--converters <convention>", "levels: 2^bits − 1 about zero, or 2^bits").choices([
        "sign-magnitude",
        "plain",
      ]),
    )
    .option(
      "--write-verify <part>",
      "write until a reading is so close to its target, as a part of g_max",
      numberIn(1e-4, 1),
    )
    .option("--max-pulses <n>", "most pulses for a device", integerIn(1, 1000), 20)
    .option("--read-volts <v>", "full scale of the inputs, for devices that are not linear", numberIn(1e-6, 1))
    .option("--output-noise <part>", "spread that converters add to readings, as a part of full scale", numberIn(0, 1))
    .option("--slow-noise", "follow the slow part of 1/f read noise, instead of drawing all anew in each read")
    .option("--stuck-low <part>", "of the devices", numberIn(0, 1))
    .option("--stuck-high <part>", "of the devices", numberIn(0, 1))
    .option("--open-word-lines <part>", "of the word lines", numberIn(0, 1))
    .option("--open-bit-lines <part>", "of the bit lines", numberIn(0, 1))
    .option("--celsius <t>", "temperature of the chips, all their life", numberIn(-55, 150));

/**
 * The chips that the options ask for, in the shape that chips are made from; only what differs from the plain way.
 * @throws ExitError for what would have no effect on the device
 */
export const hardwareOf = (options: HardwareOptions, device: DeviceModel): ChipHardware => {
  expectEffect("--celsius", options.celsius, (model) => model.temperature !== undefined, device);
  expectEffect("--slow-noise", options.slowNoise, (model) => model.oneOverF !== undefined, device);
  expectEffect("--read-volts", options.readVolts, (model) => model.currentCoefficients !== undefined, device);
  const { pairs, pairing, scaleByColumn, inputDigitBits, converters, readVolts, inputCoding, slowNoise } = options;
  const hardware: Hardware = {
    ...(pairs !== undefined && { pairs }),
    ...(pairing && { pairing }),
    ...(scaleByColumn && { scaleByColumn }),
    ...(options.weightDigits !== undefined && {
      weightSlices: { bits: options.weightBits, count: options.weightDigits },
    }),
    ...(inputDigitBits !== undefined && { inputSliceBits: inputDigitBits }),
    ...(converters && { converters }),
    ...(options.writeVerify !== undefined && {
      verify: { acceptanceSiemens: options.writeVerify * device.gMaxSiemens, maxPulses: options.maxPulses },
    }),
    ...(readVolts !== undefined && { readVolts }),
    ...(inputCoding && { inputCoding }),
    ...(options.outputNoise !== undefined && { outputNoise: options.outputNoise }),
    ...(slowNoise && { slowNoise }),
  };
  const rates = Object.entries({
    stuckLow: options.stuckLow,
    stuckHigh: options.stuckHigh,
    openWordLines: options.openWordLines,
    openBitLines: options.openBitLines,
  }).filter(([, rate]) => rate !== undefined);
  return {
    ...(Object.keys(hardware).length > 0 && { hardware }),
    ...(rates.length > 0 && { faults: Object.fromEntries(rates) as FaultRates }),
    ...(options.celsius !== undefined && { celsius: options.celsius }),
  };
};

const expectEffect = (
  option: string,
  value: unknown,
  hasModel: (device: DeviceModel) => boolean,
  device: DeviceModel,
): void => {
  if (value === undefined || hasModel(device)) return;
  const names = devices.filter(hasModel).map(({ name }) => name);
  throw new ExitError(
    `${option}: expected a device with a model of that (${names.join(", ")}), got ${device.name}`,
    exitCodes.usage,
  );
};
