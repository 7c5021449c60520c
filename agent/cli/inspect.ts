import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { deviceByName, devices } from "../../models/crossbar/devices/registry.ts";
import { type ChipDesign, energyParts, hermesDesign, total } from "../../models/energy/tile-cost.ts";
import { parseModel } from "../../models/load.ts";
import { hardwareText } from "../chip-hardware.ts";
import { configSchema } from "../config/schema.ts";
import { conductancePicture } from "../drawing/conductance-picture.ts";
import { type InspectedArray, inspectModel } from "../inspection/inspect-model.ts";
import { type Report, reportOf } from "../inspection/report.ts";
import { reportText } from "../inspection/report-text.ts";
import { digits, withUnit } from "../inspection/units.ts";
import { modelBytes, usingModel } from "../models.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { type HardwareOptions, hardwareOf, withHardwareOptions } from "./hardware-options.ts";
import { age, integerIn } from "./options.ts";

interface InspectCliOptions extends HardwareOptions {
  readonly device: string;
  readonly seed: number;
  readonly age: { readonly name: string; readonly seconds: number };
  readonly compensation: "none" | "global" | "per-column";
  readonly inputs: ChipDesign["inputs"];
  readonly adc: ChipDesign["adc"];
  readonly columnsPerAdc: number;
  readonly phases: number;
  readonly json?: boolean;
  readonly out?: string;
}

const namedAge = (text: string): InspectCliOptions["age"] => ({ name: text, seconds: age(text) });
const defaults = configSchema.shape.chip.parse({});

/** `inspect`: what a model is on its tiles, what it costs there and elsewhere, and a picture of it. */
export const inspectCommand = (): Command =>
  withHardwareOptions(inspectOnly())
    .addHelpText(
      "after",
      "\nExamples:\n  ohmwatch inspect keywords-12 --out keywords.svg\n  ohmwatch inspect ecg-beats --age 1y --pairs 2 --json",
    )
    .action(inspect);

const inspectOnly = (): Command =>
  new Command("inspect")
    .description("tiles, ranges, errors, energy and time of a model on the crossbar, and a picture of its conductances")
    .argument("<model>", "model of the zoo by name, or an .onnx file")
    .addOption(
      new Option("--device <name>", "device model of the chip")
        .choices(devices.map(({ name }) => name))
        .default(defaults.device),
    )
    .option("--seed <n>", "seed of the devices", integerIn(0, 0xffffffff), defaults.seed)
    .addOption(
      new Option("--age <time>", "time since programming: 0s, 1h, 1d, 1y")
        .argParser(namedAge)
        .default(namedAge("1d"), "1d"),
    )
    .addOption(
      new Option("--compensation <mode>", "how drift is compensated")
        .choices(["none", "global", "per-column"])
        .default(defaults.compensation),
    )
    .addOption(
      new Option("--inputs <coding>", "how the estimated chip drives its inputs")
        .choices(["pulse-width", "amplitude", "bit-serial"])
        .default(hermesDesign.inputs),
    )
    .addOption(new Option("--adc <kind>", "its converters").choices(["oscillator", "sar"]).default(hermesDesign.adc))
    .option("--columns-per-adc <n>", "columns that take turns at a SAR converter", integerIn(1, 256), 8)
    .option(
      "--phases <n>",
      "reads a product: 4 read signs apart, 1 reads at once",
      integerIn(1, 4),
      hermesDesign.phases,
    )
    .option("--json", "one JSON object on stdout")
    .option("--out <file>", "write the picture there, as SVG");

const inspect = (name: string, options: InspectCliOptions): void => {
  const bytes = modelBytes(name);
  const { report, picture } = usingModel(name, () => pictured(bytes, options));
  if (options.out !== undefined) write(options.out, picture);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
};

const pictured = (bytes: Uint8Array, options: InspectCliOptions): { report: Report; picture: string } => {
  const { graph, manifest } = parseModel(bytes);
  const { seed, compensation, inputs, adc, phases, age: old } = options;
  const device = deviceByName(options.device);
  const { dacBits, adcBits } = manifest.mapping;
  const columnsPerAdc = adc === "sar" ? options.columnsPerAdc : 1;
  const inputCoding = inputs === "pulse-width" ? inputs : "amplitude";
  const chips = hardwareOf({ ...options, ...(options.readVolts !== undefined && { inputCoding }) }, device);
  const { inputSliceBits } = { ...manifest.mapping.hardware, ...chips.hardware };
  const design: ChipDesign = {
    ...{ ...hermesDesign, inputs, adc, phases, columnsPerAdc, dacBits, adcBits },
    ...(inputSliceBits !== undefined && { inputSliceBits }),
  };
  const inspected = { device, seed, ageSeconds: old.seconds, compensation, design, ...chips };
  const inspection = inspectModel(graph, manifest, inspected);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const chip = { device: device.name, seed, age: old.name, compensation, ...chips };
  const report = reportOf(manifest, sha256, inspection, chip, design);
  const { energyJoules, latencySeconds, weights } = report.totals;
  const picture = conductancePicture(inspection.arrays.flatMap(digitsOf), {
    title: manifest.name,
    subtitle: [
      `${digits(weights)} weights on ${report.tiles === 1 ? "1 tile" : `${report.tiles} tiles`} of ${device.name} pairs, seed ${seed}, as programmed`,
      "one image a tile: a row is an output, a column an input, a square a pair of devices",
      ...(hardwareText(chips) ? [hardwareText(chips)] : []),
    ],
    gMaxSiemens: device.gMaxSiemens,
    age: old.seconds === 0 ? undefined : old.name,
    bar: {
      title: `One inference: ${withUnit(total(energyJoules), "J")} in ${withUnit(latencySeconds, "s")}`,
      shares: energyParts.map((part) => ({ name: part, value: energyJoules[part] })),
    },
  });
  return { report, picture };
};

/** An array for each digit of its weights: tiles at one place, the least digit first. */
const digitsOf = (array: InspectedArray): readonly InspectedArray[] => {
  const { outputFrom, inputFrom } = array.tiles[0]!;
  const count = array.tiles.filter((tile) => tile.outputFrom === outputFrom && tile.inputFrom === inputFrom).length;
  if (count === 1) return [array];
  return Array.from({ length: count }, (_, digit) => ({
    ...array,
    name: `${array.name}, digit ${digit}`,
    tiles: array.tiles.filter((_tile, t) => t % count === digit),
  }));
};

const write = (file: string, text: string): void => {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new ExitError(
      `${file}: expected a file that can be written, got ${(cause as Error).message}`,
      exitCodes.cannotCreate,
      {
        cause,
      },
    );
  }
};
