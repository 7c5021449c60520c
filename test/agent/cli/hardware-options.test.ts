import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { hardwareText } from "../../../agent/chip-hardware.ts";
import { type HardwareOptions, hardwareOf, withHardwareOptions } from "../../../agent/cli/hardware-options.ts";
import type { DeviceModel } from "../../../models/crossbar/devices/device.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { rramMilo2021 } from "../../../models/crossbar/devices/rram-milo-2021.ts";

const parse = (...words: string[]) => parseFor(pcmNandakumar2019, ...words);
const parseFor = (device: DeviceModel, ...words: string[]) => {
  const command = withHardwareOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return hardwareOf(command.parse(words, { from: "user" }).opts<HardwareOptions>(), device);
};

describe("Options of the hardware", () => {
  it("ask for nothing unless they are given", () => {
    expect(parse()).toEqual({});
    expect(hardwareText({})).toBe("");
  });
  it("become what chips are made from, and words", () => {
    const chips = parse(
      ...["--pairs", "2", "--pairing", "two-sided", "--scale-by-column", "--weight-digits", "2", "--weight-bits", "9"],
      ...["--input-digit-bits", "4", "--write-verify", "0.02", "--slow-noise"],
      ...["--stuck-low", "0.01", "--open-bit-lines", "0.002", "--celsius", "60"],
    );
    expect(chips).toEqual({
      hardware: {
        pairs: 2,
        pairing: "two-sided",
        scaleByColumn: true,
        weightSlices: { bits: 9, count: 2 },
        inputSliceBits: 4,
        verify: { acceptanceSiemens: 0.02 * 25e-6, maxPulses: 20 },
        slowNoise: true,
      },
      faults: { stuckLow: 0.01, openBitLines: 0.002 },
      celsius: 60,
    });
    expect(hardwareText(chips)).toBe(
      "2 pairs a weight, two-sided, a scale a column, weights of 9 bits in 2 digits, inputs in digits of 4 bits, " +
        "written to ±0.5 µS in at most 20 pulses, slow noise followed, 1 % of devices stuck low, " +
        "0.2 % of bit lines open, 60 °C",
    );
  });
  it("are refused where the device has no model of what they ask for", () => {
    expect(parseFor(rramMilo2021, "--read-volts", "0.2")).toEqual({ hardware: { readVolts: 0.2 } });
    expect(() => parseFor(rramMilo2021, "--celsius", "60")).toThrow(
      "--celsius: expected a device with a model of that (pcm-nandakumar-2019, pcm-hermes-2023, pcm-hermes-2023-two), got rram-milo-2021",
    );
    expect(() => parseFor(rramMilo2021, "--slow-noise")).toThrow(
      "--slow-noise: expected a device with a model of that",
    );
    expect(() => parse("--read-volts", "0.2")).toThrow(
      "--read-volts: expected a device with a model of that (rram-milo-2021), got pcm-nandakumar-2019",
    );
  });
  it.each([
    [["--pairs", "0"], "expected a number 1 … 16"],
    [["--pairs", "1.5"], "expected an integer"],
    [["--celsius", "500"], "expected a number -55 … 150"],
    [["--converters", "flash"], "Allowed choices are sign-magnitude, plain"],
  ])("are refused: %o", (words, sentence) => {
    expect(() => parse(...words)).toThrow(sentence);
  });
});
