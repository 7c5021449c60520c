import { Command } from "commander";
import { codecByName, encoderNames } from "../codecs/codec.ts";
import { openModel } from "../models.ts";
import { openRecording } from "../recordings/open.ts";
import { fit } from "../terminal/view-lines.ts";
import { type ChipOptions, chipOf, withChipOptions } from "./chip-options.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { type Hop, traceHops } from "./trace-hops.ts";

/** `trace`: the eight hops of a recording, with real numbers. */
export const traceCommand = (): Command =>
  withChipOptions(new Command("trace"))
    .description("show what each of the eight hops makes of a recording: shape, unit, minimum, maximum, time")
    .argument("<file>", "recording (WAV, WFDB, CSV)")
    .requiredOption("--model <name>", "model of the zoo by name, or an .onnx file")
    .option("--codec <name>", `payloads of hop 1: ${encoderNames.join(", ")}`, "protobuf")
    .option("--json", "one JSON object")
    .addHelpText("after", "\nExample:\n  ohmwatch trace fixtures/ecg/ecg.hea --model ecg-beats")
    .action(async (file: string, options: ChipOptions & { model: string; codec: string; json?: boolean }) => {
      const codec = codecByName(options.codec);
      if (codec?.encode === undefined) {
        throw new ExitError(
          `--codec: expected one of ${encoderNames.join(", ")}, got ${options.codec}`,
          exitCodes.usage,
        );
      }
      const hops = traceHops(await openRecording(file), openModel(options.model, chipOf(options)), codec);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ file, model: options.model, hops })}\n`);
        return;
      }
      process.stdout.write(`${heading}\n${hops.map(lineOf).join("\n")}\n`);
    });

const heading = [
  fit("hop", 4),
  fit("stages", 44),
  fit("gives", 16),
  fit("shape", 15),
  fit("unit", 12),
  "minimum".padStart(10),
  "maximum".padStart(10),
  "µs each".padStart(10),
  "outputs".padStart(9),
].join("");

const lineOf = ({ hop, stage, gives, shape, unit, min, max, microseconds, outputs, note }: Hop): string =>
  [
    fit(String(hop), 4),
    fit(stage, 44),
    fit(gives, 16),
    fit(shape === undefined ? "–" : `[${shape.join(" × ")}]`, 15),
    fit(unit, 12),
    numberOf(min).padStart(10),
    numberOf(max).padStart(10),
    (microseconds?.toFixed(1) ?? "–").padStart(10),
    String(outputs).padStart(9),
    note === "" ? "" : `  ${note}`,
  ].join("");

const numberOf = (x: number | undefined): string =>
  x === undefined ? "–" : Number.isInteger(x) ? String(x) : x.toPrecision(4);
