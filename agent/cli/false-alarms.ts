import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { AnomalyChange, SampleBlock } from "../../pipelines/signal.ts";
import { openModel } from "../models.ts";
import { offlineBlockSeconds, runOffline } from "../offline.ts";
import { openRecording } from "../recordings/open.ts";
import { lengthSamples } from "../recordings/recording.ts";
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
      const files = paths.flatMap(filesIn);
      const model = openModel(options.model, chipOf(options));
      const byLabel: Record<string, number> = {};
      let seconds = 0;
      const onChange = ({ type, anomaly }: AnomalyChange): void => {
        if (type === "new") byLabel[anomaly.kind] = (byLabel[anomaly.kind] ?? 0) + 1;
      };
      for (const file of files) {
        const recording = await openRecording(file);
        for (const decibel of options.levels) {
          seconds += lengthSamples(recording) / recording.sampleRateHz;
          runOffline(louder(recording.blocks(offlineBlockSeconds), decibel), model, { onChange });
        }
      }
      const alarms = Object.values(byLabel).reduce((sum, n) => sum + n, 0);
      const hours = seconds / 3600;
      const report = {
        ...{ model: model.manifest.name, device: options.device, files: files.length, hours, alarms },
        ...{ perHour: alarms / hours, atMostPerHour: mostExpected(alarms) / hours, byLabel },
      };
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report));
    });

function* louder(blocks: Iterable<SampleBlock>, decibel: number): Generator<SampleBlock> {
  const gain = 10 ** (decibel / 20);
  for (const block of blocks) {
    if (decibel === 0) yield block;
    else yield { ...block, samples: block.samples.map((x) => Math.max(-1, Math.min(1, gain * x))) };
  }
}

const filesIn = (path: string): string[] =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.(wav|csv|hea)$/i.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];

/**
 * The largest mean of a Poisson count for which so few events or fewer still have a chance of 5 %: the upper end of the
 * exact 95 % interval, one-sided (Garwood, 1936). 3.0 for none.
 */
export const mostExpected = (count: number): number => {
  const chanceOfSoFew = (mean: number): number => {
    let term = Math.exp(-mean);
    let sum = term;
    for (let k = 1; k <= count; k++) {
      term *= mean / k;
      sum += term;
    }
    return sum;
  };
  let [low, high] = [count, 2 * count + 10];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (chanceOfSoFew(middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
};

const textOf = (report: {
  readonly model: string;
  readonly device: string;
  readonly files: number;
  readonly hours: number;
  readonly alarms: number;
  readonly perHour: number;
  readonly atMostPerHour: number;
  readonly byLabel: Readonly<Record<string, number>>;
}): string => {
  const labels = Object.entries(report.byLabel).map(([label, n]) => `${label} ${n}`);
  return [
    `${report.model} on ${report.device}: ${report.files} recordings, ${report.hours.toFixed(3)} h`,
    `${report.alarms} alarms${labels.length > 0 ? ` (${labels.join(", ")})` : ""}: ${report.perHour.toFixed(1)} an hour, at most ${report.atMostPerHour.toFixed(1)} with 95 % confidence`,
    "",
  ].join("\n");
};
