import { Command } from "commander";
import type { Classification } from "../../pipelines/signal.ts";
import { openModel } from "../models.ts";
import { offlineBlockSeconds, runOffline } from "../offline.ts";
import { openRecording } from "../recordings/open.ts";
import { bar } from "../terminal/sparkline.ts";
import { fit } from "../terminal/view-lines.ts";
import { type ChipOptions, chipOf, withChipOptions } from "./chip-options.ts";

/** `classify`: recordings → a line a frame or beat. */
export const classifyCommand = (): Command =>
  withChipOptions(new Command("classify"))
    .description("classify recordings (WAV, WFDB, CSV): one line a frame or beat")
    .argument("<file...>", "recordings")
    .requiredOption("--model <name>", "model of the zoo by name, or an .onnx file")
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      "\nExamples:\n  ohmwatch classify --model ecg-beats 100.hea --json\n  ohmwatch classify --model keywords-12 --device digital *.wav",
    )
    .action(async (files: string[], options: ChipOptions & { model: string; json?: boolean }) => {
      for (const file of files) {
        // A network of its own for each file, so that a result does not depend on the files before it.
        const model = openModel(options.model, chipOf(options));
        const recording = await openRecording(file);
        const startAtNs = recording.segments[0]?.startAtNs ?? 0n;
        let lines = 0;
        runOffline(recording.blocks(offlineBlockSeconds), model, {
          onClassification: (classification) => {
            lines++;
            const line = lineOf(file, startAtNs, classification);
            process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : textOf(line));
          },
          onDrop: (reason, samples) => process.stderr.write(`${file}: ${samples} samples were left out (${reason})\n`),
        });
        if (lines === 0) process.stderr.write(`${file}: too short for ${options.model}, no frame came out\n`);
      }
    });

interface Line {
  readonly file: string;
  readonly fromSeconds: number;
  readonly atSeconds: number;
  readonly label: string;
  readonly probability: number;
  readonly margin: number;
}

const lineOf = (file: string, startAtNs: bigint, classification: Classification): Line => {
  const { fromNs, atNs, label, probability, margin } = classification;
  const seconds = (ns: bigint): number => Number(ns - startAtNs) / 1e9;
  return {
    file,
    fromSeconds: round(seconds(fromNs), 1e4),
    atSeconds: round(seconds(atNs), 1e4),
    label,
    probability: round(probability, 1e6),
    margin: round(margin, 1e6),
  };
};

const round = (x: number, steps: number): number => Math.round(x * steps) / steps;

const textOf = ({ file, fromSeconds, label, probability, margin }: Line): string =>
  `${file}  ${fromSeconds.toFixed(3).padStart(10)} s  ${fit(label, 12)} ${bar(probability, 10)} ${probability.toFixed(3)}  margin ${margin.toFixed(3)}\n`;
