import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { InputContract } from "../../models/manifest.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { probationRows } from "../evaluation/nab-score.ts";
import { RecordingError } from "../recordings/recording.ts";
import { collectFeatures } from "./collect.ts";
import { type LabelledFeatures, type LabelledSample, pack } from "./labelled.ts";

/** One series of the Numenta Anomaly Benchmark. */
export interface NabSeries {
  /** `realTweets/Twitter_volume_UPS.csv` */
  readonly name: string;
  readonly values: Float32Array;
  /** First and last row of each labelled window. */
  readonly windows: readonly (readonly [first: number, last: number])[];
}

/** The series of a copy of NAB that `labels/combined_windows.json` names and that are there, in their order. @throws RecordingError */
export const nabSeries = (folder: string): NabSeries[] => {
  const text = readFileSync(join(folder, "labels", "combined_windows.json"), "utf8");
  const labels = JSON.parse(text) as Record<string, [string, string][]>;
  return Object.entries(labels).flatMap(([name, limits]) => {
    const path = join(folder, "data", name);
    if (!existsSync(path)) return []; // not every copy of the benchmark has all its parts
    const rows = readFileSync(path, "utf8")
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(","));
    const rowAt = new Map(rows.map(([time = ""], row) => [time, row]));
    const windows = limits.map(([from, to]) => {
      const [first, last] = [rowAt.get(from.slice(0, 19)), rowAt.get(to.slice(0, 19))];
      if (first === undefined || last === undefined || last <= first) {
        throw new RecordingError(65, `${name}: expected a row at each end of the window ${from} … ${to}, got none`);
      }
      return [first, last] as const;
    });
    return [{ name, values: Float32Array.from(rows, ([, value]) => Number(value)), windows }];
  });
};

/**
 * Rows as features of the model's input, by the stages that the agent runs: as if they came at the rate of the contract,
 * whatever their own (5 minutes mostly), since NAB counts rows and not minutes.
 */
export const rowFeatures = (
  values: Float32Array,
  { channels, sampleRateHz }: InputContract,
  pipeline: Pipeline,
): Float32Array => {
  const block = { stream: "nab", startAtNs: 0n, sampleRateHz, channels, samples: values };
  return Float32Array.from(collectFeatures(pipeline, [block]), ({ data }) => data[0]!);
};

/** What NAB lets a detector learn from without labels: the first 15 % of the rows of each series, 750 at most. */
export const probationFeatures = (
  folder: string,
  input: InputContract,
  pipeline: () => Pipeline,
): { name: string; rows: Float32Array }[] =>
  nabSeries(folder).map(({ name, values }) => ({
    name,
    rows: rowFeatures(values.subarray(0, probationRows(values.length)), input, pipeline()),
  }));

/** Windows of so many rows, every `hopRows`. */
export const forecastWindows = (
  series: readonly { readonly name: string; readonly rows: Float32Array }[],
  steps: number,
  hopRows: number,
): LabelledFeatures => {
  const samples: LabelledSample[] = [];
  for (const { name, rows } of series) {
    for (let from = 0; from + steps <= rows.length; from += hopRows) {
      samples.push({ data: rows.subarray(from, from + steps), label: 0, group: name });
    }
  }
  return pack([1, steps, 1], samples);
};
