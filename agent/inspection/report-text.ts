import { energyParts, total } from "../../models/energy/tile-cost.ts";
import { hardwareText } from "../chip-hardware.ts";
import type { Report } from "./report.ts";
import { digits, percent, withUnit } from "./units.ts";

/** The report for people: a table of layers, one of converters, the costs, the comparison, the verdict. */
export const reportText = (report: Report): string => {
  const { model, chip, mapping, layers, tiles, totals, comparison } = report;
  return [
    `${model.name} ${model.version}: ${digits(totals.weights)} weights on ${tiles === 1 ? "1 tile" : `${tiles} tiles`} of at most ${mapping.tileOutputs} × ${mapping.tileInputs} pairs, ${digits(totals.multiplyAccumulates)} multiply-accumulates an inference`,
    `Chip: ${chip.device}, seed ${chip.seed}, ${chip.age} old, compensation ${chip.compensation}; DAC ${mapping.dacBits} bits, ADC ${mapping.adcBits} bits`,
    ...(hardwareText(chip) ? [`Chip: ${hardwareText(chip)}`] : []),
    `Programmed: ${programmedText(report.programmed)}`,
    "",
    ...table(
      ["layer", "kind", "output", "matrix", "weights", "tiles", "use", "error", `after ${chip.age}`],
      layers.map((layer) => [
        layer.name,
        layer.kind,
        layer.outputShape.join("×"),
        `${layer.outputs}×${layer.inputs}`,
        String(layer.weights),
        tilesOf(layer.tiles),
        percent(layer.utilisation),
        `${layer.programmingErrorMicrosiemens.toFixed(2)} µS, ${percent(layer.programmingErrorOfRange)}`,
        `${layer.agedErrorMicrosiemens.toFixed(2)} µS, ×${layer.agedScale.toFixed(3)}`,
      ]),
    ),
    "",
    "error: root mean square of G⁺ − G⁻ about its weight, as programmed, in µS and of the range of a device, and later; × is by how much a tile has drifted, which α gives back.",
    "",
    ...table(
      ["layer", "DAC ±", "ADC ±", "clipped in", "clipped out", "mean |x|", "energy", "time", "area"],
      layers.map((layer) => [
        layer.name,
        digits(layer.inputMax),
        rangeOf(layer.tiles.map(({ outputMax }) => outputMax)),
        percent(layer.clippedInputs),
        clippedText(layer),
        percent(layer.meanInput),
        withUnit(layer.energyJoules, "J"),
        withUnit(layer.latencySeconds, "s"),
        `${digits(layer.areaSquareMetres * 1e6)} mm²`,
      ]),
    ),
    "",
    `clipped and |x|: of the conversions on the model's ${report.testVectors} test vectors; largest difference of an output to the digital one ${digits(report.largestDifference)}.`,
    "",
    `One inference: ${withUnit(total(totals.energyJoules), "J")} (${energyParts.map((part) => `${part} ${percent(totals.energyJoules[part] / total(totals.energyJoules))}`).join(", ")}),`,
    `  ${withUnit(totals.latencySeconds, "s")}, ${digits(totals.areaSquareMetres * 1e6)} mm², ${withUnit(totals.operationsPerJoule, "OPS/W")}; ${report.design}`,
    "",
    ...table(
      ["the same network on", "energy", "time", `power at ${digits(comparison.inferencesPerSecond)}/s`, "saved", ""],
      [
        [
          "this chip",
          withUnit(comparison.joules, "J"),
          withUnit(comparison.seconds, "s"),
          withUnit(comparison.wattsSwitched, "W"),
          "",
          `${withUnit(comparison.wattsLeftOn, "W")} with converters left on`,
        ],
        ...comparison.machines.map((machine) => [
          machine.name,
          withUnit(machine.joules, "J"),
          machine.seconds === undefined ? "–" : withUnit(machine.seconds, "s"),
          withUnit(machine.watts, "W"),
          percent(machine.savingPerInference),
          `${machine.conditions}${machine.basis === "read" ? "" : " (from memory)"}`,
        ]),
      ],
    ),
    "",
    'Does "over 90 % less power than a GPU" hold?',
    ...report.verdict.map((sentence) => `- ${sentence}`),
    "",
  ].join("\n");
};

const programmedText = ({ devices, pulses, outside, seconds, joules }: Report["programmed"]): string => {
  const left = outside > 0 ? `, ${digits(outside)} left outside the band` : "";
  return `${digits(devices)} devices, ${digits(pulses)} pulses${left}; ${withUnit(seconds, "s")} one device after the other, ${withUnit(joules, "J")}`;
};

/** Of all conversions, and of the tile with most. */
const clippedText = ({ clippedOutputs, tiles }: Report["layers"][number]): string => {
  const worst = Math.max(...tiles.map((tile) => tile.clippedOutputs));
  return worst > 1.05 * clippedOutputs
    ? `${percent(clippedOutputs)}, worst ${percent(worst)}`
    : percent(clippedOutputs);
};

/** Columns as wide as they need; the first and the last to the left, the others to the right. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => [...row[i]!].length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
};

const tilesOf = (tiles: readonly { outputs: number; inputs: number }[]): string => {
  const sizes = new Map<string, number>();
  for (const { outputs, inputs } of tiles) {
    const size = `${outputs}×${inputs}`;
    sizes.set(size, (sizes.get(size) ?? 0) + 1);
  }
  return [...sizes].map(([size, count]) => `${count} of ${size}`).join(", ");
};

const rangeOf = (values: readonly number[]): string => {
  const [low, high] = [digits(Math.min(...values)), digits(Math.max(...values))];
  return low === high ? low : `${low} … ${high}`;
};
