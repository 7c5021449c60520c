import { Command, Option } from "commander";
import { countFalseAlarms, type FalseAlarms, recordingsAt } from "../evaluation/false-alarms.ts";
import { openModel } from "../models.ts";
import { type ChipOptions, chipOf, withChipOptions } from "./chip-options.ts";
import { numberIn } from "./options.ts";

interface FalseAlarmOptions extends ChipOptions {
  readonly model: string;
  readonly levels: readonly number[];
  readonly json?: boolean;
}

const decibels = (text: string): readonly number[] => text.split(",").map(numberIn(-120, 120));

/** `false-alarms`: how often a model raises an alarm where there is nothing to find. */
export const falseAlarmsCommand = (): Command =>
  withChipOptions(new Command("false-alarms"))
    .description("alarms an hour, by the model's own decision rules, in recordings that hold nothing to find")
    .argument("<path...>", "recordings, or folders of them")
    .requiredOption("--model <name>", "model of the zoo by name, or an .onnx file")
    .addOption(
      new Option("--levels <list>", "dB by which each recording is made louder, one run each; beyond full scale is cut")
        .argParser(decibels)
        .default([0], "0"),
    )
    .option("--json", "one JSON object on stdout")
    .addHelpText("after", "\nExample:\n  ohmwatch false-alarms --model keywords-12 noise/ --age 1d")
    .action(async (paths: string[], options: FalseAlarmOptions) => {
      const model = openModel(options.model, chipOf(options));
      const counted = await countFalseAlarms(model, paths.flatMap(recordingsAt), options.levels);
      const report = { model: model.manifest.name, device: options.device, ...counted };
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report));
    });

const textOf = (report: FalseAlarms & { readonly model: string; readonly device: string }): string => {
  const labels = Object.entries(report.byLabel).map(([label, n]) => `${label} ${n}`);
  return [
    `${report.model} on ${report.device}: ${report.files} recordings, ${report.hours.toFixed(3)} h`,
    `${report.alarms} alarms${labels.length > 0 ? ` (${labels.join(", ")})` : ""}: ${report.perHour.toFixed(1)} an hour, at most ${report.atMostPerHour.toFixed(1)} with 95 % confidence`,
    "",
  ].join("\n");
};
