import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../models/model.ts";
import type { AnomalyChange, SampleBlock } from "../../pipelines/signal.ts";
import { offlineBlockSeconds, runOffline } from "../offline.ts";
import { openRecording } from "../recordings/open.ts";
import { lengthSamples } from "../recordings/recording.ts";
import type { WordsHeard } from "./words-heard.ts";

/** What a model raised in recordings that hold nothing to find. */
export interface FalseAlarms {
  readonly files: number;
  readonly hours: number;
  readonly alarms: number;
  readonly perHour: number;
  /** Upper end of the 95 % interval of that. */
  readonly atMostPerHour: number;
  readonly byLabel: Readonly<Record<string, number>>;
}

/** What the decision rules of a model raise on a device. */
export interface RaisedReport {
  readonly device: string;
  readonly ageSeconds: number;
  /** In recordings that hold nothing to find, each made louder by so many dB. */
  readonly nothing: readonly (FalseAlarms & { readonly recordings: string; readonly levels: readonly number[] })[];
  /** Of words to be heard, where the model hears words. */
  readonly words?: WordsHeard;
}

/**
 * Count the alarms that a model raises by its own decision rules in recordings that hold nothing to find.
 *
 * @param files  each is a stream of its own
 * @param levels dB by which each recording is made louder, one run each; beyond full scale is cut
 */
export const countFalseAlarms = async (
  model: Model,
  files: readonly string[],
  levels: readonly number[],
): Promise<FalseAlarms> => {
  const byLabel: Record<string, number> = {};
  let seconds = 0;
  const onChange = ({ type, anomaly }: AnomalyChange): void => {
    if (type === "new") byLabel[anomaly.kind] = (byLabel[anomaly.kind] ?? 0) + 1;
  };
  for (const file of files) {
    const recording = await openRecording(file);
    for (const decibel of levels) {
      seconds += lengthSamples(recording) / recording.sampleRateHz;
      runOffline(louder(recording.blocks(offlineBlockSeconds), decibel), model, { onChange });
    }
  }
  const alarms = Object.values(byLabel).reduce((sum, n) => sum + n, 0);
  const hours = seconds / 3600;
  const rates = { perHour: alarms / hours, atMostPerHour: mostExpected(alarms) / hours };
  return { files: files.length, hours, alarms, ...rates, byLabel };
};

function* louder(blocks: Iterable<SampleBlock>, decibel: number): Generator<SampleBlock> {
  const gain = 10 ** (decibel / 20);
  for (const block of blocks) {
    if (decibel === 0) yield block;
    else yield { ...block, samples: block.samples.map((x) => Math.max(-1, Math.min(1, gain * x))) };
  }
}

/** The recordings of a folder in order, or the one file. */
export const recordingsAt = (path: string): string[] =>
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
