/**
 * Score the QRS detector against the annotated beats of WFDB records, first signal, whole length, and print one line a
 * record and the pooled figures. `node tools/qrs-score.ts [FOLDER] [RATE_HZ]`: FOLDER of records (default
 * $OHMWATCH_DATA/mitdb or ../shared/data/mitdb), RATE_HZ to resample to before (default the record's own).
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRecording } from "../agent/recordings/open.ts";
import type { Annotation } from "../agent/recordings/recording.ts";
import { QrsDetector } from "../pipelines/dsp/qrs.ts";
import { Resampler } from "../pipelines/dsp/resampler.ts";
import { quantile } from "../pipelines/dsp/statistics.ts";

/** Annotations that mark a QRS complex; flutter waves `!` are none [ANSI/AAMI EC57, 4.2]. */
const beatSymbols = new Set("NLRBAaJSVrFejnE/fQ?");
const matchSeconds = 0.15; // [ANSI/AAMI EC57, 4.3.2]

/** Outcome of one record or of several. */
export interface QrsScore {
  readonly found: number;
  readonly missed: number;
  readonly extra: number;
  /** Told less annotated time of each beat found, seconds. */
  readonly offsetsSeconds: readonly number[];
}

/** Share of annotated beats that were found, 0 … 1. */
export const sensitivity = ({ found, missed }: QrsScore): number => found / (found + missed);

/** Share of told beats that are annotated, 0 … 1. */
export const positivePredictivity = ({ found, extra }: QrsScore): number => found / (found + extra);

/** The sums of several scores. */
export const pooled = (scores: readonly QrsScore[]): QrsScore => ({
  found: scores.reduce((sum, { found }) => sum + found, 0),
  missed: scores.reduce((sum, { missed }) => sum + missed, 0),
  extra: scores.reduce((sum, { extra }) => sum + extra, 0),
  offsetsSeconds: scores.flatMap(({ offsetsSeconds }) => offsetsSeconds),
});

/**
 * Match told peaks with annotated beats one to one, within 150 ms, in order of time. Beats told in an episode of
 * ventricular flutter (`[` … `]`, 150 ms wider) do not count against it. Unlike EC57 the first 5 minutes count.
 *
 * @param peaks rising, seconds
 */
export const scorePeaks = (
  annotations: readonly Pick<Annotation, "sample" | "symbol">[],
  sampleRateHz: number,
  peaks: readonly number[],
): QrsScore => {
  const beats = annotations.filter(({ symbol }) => beatSymbols.has(symbol)).map(({ sample }) => sample / sampleRateHz);
  const flutter: { from: number; to: number }[] = [];
  for (const { sample, symbol } of annotations) {
    const at = sample / sampleRateHz;
    if (symbol === "[") flutter.push({ from: at - matchSeconds, to: Number.POSITIVE_INFINITY });
    const open = flutter.at(-1);
    if (symbol === "]" && open !== undefined) open.to = at + matchSeconds;
  }
  const offsetsSeconds: number[] = [];
  let missed = 0;
  let extra = 0;
  const leave = (peak: number) => {
    if (!flutter.some(({ from, to }) => peak >= from && peak <= to)) extra++;
  };
  let p = 0;
  for (const [b, beat] of beats.entries()) {
    while (p < peaks.length && peaks[p]! < beat - matchSeconds) leave(peaks[p++]!);
    // The next peak may lie nearer to this beat, and not be the next beat's.
    while (p + 1 < peaks.length && nearer(peaks[p + 1]!, peaks[p]!, beat, beats[b + 1])) leave(peaks[p++]!);
    const peak = peaks[p];
    if (peak === undefined || peak > beat + matchSeconds) missed++;
    else {
      offsetsSeconds.push(peak - beat);
      p++;
    }
  }
  while (p < peaks.length) leave(peaks[p++]!);
  return { found: offsetsSeconds.length, missed, extra, offsetsSeconds };
};

const nearer = (peak: number, before: number, beat: number, nextBeat: number | undefined): boolean =>
  Math.abs(peak - beat) < Math.abs(before - beat) &&
  (nextBeat === undefined || Math.abs(peak - nextBeat) > Math.abs(peak - beat));

/**
 * Run the detector over the first signal of a record, in blocks of 1 s.
 * @param path    of the record, without ending
 * @param rateHz  rate to resample to before; the record's own unless given
 */
export const scoreRecord = async (path: string, rateHz?: number): Promise<QrsScore> => {
  const { channels, sampleRateHz, segments, annotations } = await openRecording(`${path}.hea`);
  const interleaved = segments[0]!.samples;
  const own = Float32Array.from(
    { length: interleaved.length / channels.length },
    (_, t) => interleaved[t * channels.length]!,
  );
  const toHz = rateHz ?? sampleRateHz;
  const lead = toHz === sampleRateHz ? own : resampled(own, sampleRateHz, toHz);
  const detector = new QrsDetector(toHz);
  const peaks: number[] = [];
  for (let from = 0; from < lead.length; from += toHz) peaks.push(...detector.push(lead.subarray(from, from + toHz)));
  peaks.push(...detector.flush());
  return scorePeaks(
    annotations ?? [],
    sampleRateHz,
    peaks.map((index) => index / toHz),
  );
};

const resampled = (samples: Float32Array, fromHz: number, toHz: number): Float32Array => {
  const resampler = new Resampler({ fromHz, toHz, channels: 1 });
  return Float32Array.from([...resampler.push(samples), ...resampler.flush()]);
};

/** Names of the records of a folder, sorted. */
export const recordNames = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".atr"))
    .map((file) => file.slice(0, -4))
    .sort();

const line = (name: string, score: QrsScore): string => {
  const offsets = score.offsetsSeconds.map(Math.abs);
  const percent = (share: number) => (100 * share).toFixed(3).padStart(8);
  const ms = (q: number) => (1000 * quantile(offsets, q)).toFixed(1).padStart(7);
  const counts = [score.found + score.missed, score.missed, score.extra].map((n) => String(n).padStart(7)).join("");
  return `${name.padEnd(7)}${counts}${percent(sensitivity(score))}${percent(positivePredictivity(score))}${ms(0.5)}${ms(0.95)}`;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const beside = fileURLToPath(new URL("../../shared/data", import.meta.url));
  const folder = process.argv[2] ?? join(process.env["OHMWATCH_DATA"] ?? beside, "mitdb");
  const rateHz = process.argv[3] === undefined ? undefined : Number(process.argv[3]);
  if (!existsSync(folder)) throw new Error(`FOLDER: expected a folder of WFDB records, got ${folder}`);
  console.log("record   beats missed  extra    Se %    +P %  |offset| median, 95 % ms");
  const scores: QrsScore[] = [];
  for (const name of recordNames(folder)) {
    const score = await scoreRecord(join(folder, name), rateHz);
    scores.push(score);
    console.log(line(name, score));
  }
  console.log(line("pooled", pooled(scores)));
}
