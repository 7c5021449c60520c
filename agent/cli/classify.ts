import { Command } from "commander";
import type { Classification } from "../../pipelines/signal.ts";
import { openModel } from "../models.ts";
import { offlineBlockSeconds, runOffline } from "../offline.ts";
import { openRecording } from "../recordings/open.ts";
import { bar } from "../terminal/sparkline.ts";
import { fit } from "../terminal/view-lines.ts";
import { type ChipOptions, chipOf, withChipOptions } from "./chip-options.ts";
import { classifyPictures, type PictureLine } from "./classify-pictures.ts";

/** `classify`: recordings → a line a frame or beat. */
export const classifyCommand = (): Command =>
  withChipOptions(new Command("classify"))
    .description("classify recordings (WAV, WFDB, CSV) or pictures (IDX, PGM, PNG): one line a frame, beat or picture")
    .argument("<file...>", "recordings, or pictures of the size that the model takes")
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
        if (model.manifest.modality === "image") {
          for (const line of classifyPictures(file, model)) {
            process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : pictureText(line));
          }
          continue;
        }
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

const pictureText = ({ file, picture, label, probability, margin }: PictureLine): string =>
  `${file}  ${String(picture).padStart(6)}  ${fit(label, 12)} ${bar(probability, 10)} ${probability.toFixed(3)}  margin ${margin.toFixed(3)}\n`;
