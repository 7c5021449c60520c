/**
 * Decision rules of a keyword model, a rule a word, out of a grid of `enter`, `confirm` and `window`:
 *
 *   the most of   points heard − points of other words taken for it − false alarms an hour
 *
 * so that one false alarm an hour is worth one word in a hundred. Words: the validation clips of Speech Commands, by speakers
 * that are in neither training nor test, each between two clips of silence. False alarms: those clips of other words one after
 * the other, those of silence, and talk made by `tools/talk.ts … choose`. Prints the rules as a recipe has them.
 *
 *   node tools/choose-rules.ts MODEL.onnx DATA TALK
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KeywordFeatures } from "../agent/datasets/augment-keywords.ts";
import { keywordPictures } from "../agent/datasets/keywords.ts";
import { runOffline } from "../agent/offline.ts";
import { openRecording } from "../agent/recordings/open.ts";
import { parseModel } from "../models/load.ts";
import type { DecisionRule } from "../models/manifest.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import { dequantiseInto, quantiseTensor } from "../models/quantisation.ts";
import { SequentialRandom } from "../models/random.ts";
import { Alarm } from "../pipelines/decisions/alarm.ts";
import { featureSettings } from "../pipelines/features.ts";

const [modelPath = "", data = "", talk = ""] = process.argv.slice(2);
if (!talk) throw new Error("arguments: expected MODEL.onnx DATA TALK");
const { graph, manifest } = parseModel(readFileSync(modelPath));
const { input, labels } = manifest;
const network = new DigitalNetwork(graph, { kernel: "simd" });
const settings = featureSettings(input, "mfcc");
const maker = new KeywordFeatures(settings.coefficients, settings.mean, settings.std);
const [, frames = 0, bands = 0] = input.shape;
const hopFrames = input.hopSamples / settings.hopSamples;
const hopSeconds = input.hopSamples / input.sampleRateHz;

/** Scores by hop. */
type Trace = readonly Float32Array[];

const traceOf = (levels: Uint8Array): Trace => {
  const [features, x] = [new Float32Array(frames * bands), new Float32Array(frames * bands)];
  const trace: Float32Array[] = [];
  for (let t = 0; (t + frames) * bands <= levels.length; t += hopFrames) {
    maker.plainInto(levels.subarray(t * bands, (t + frames) * bands), features);
    dequantiseInto(quantiseTensor(features, input.shape, { scale: input.scale, zeroPoint: 0 }), x);
    const scores = new Float32Array(labels.length);
    network.infer(x, scores);
    trace.push(scores);
  }
  return trace;
};

const clips = keywordPictures(join(data, "speech-commands"), labels, "validation");
const pictureOf = (i: number): Uint8Array => clips.x.subarray(i * frames * bands, (i + 1) * frames * bands);
const allOf = (label: string): number[] => [...clips.labels].flatMap((l, i) => (labels[l] === label ? [i] : []));
const joined = (indices: readonly number[]): Uint8Array => {
  const levels = new Uint8Array(indices.length * frames * bands);
  for (const [at, i] of indices.entries()) levels.set(pictureOf(i), at * frames * bands);
  return levels;
};

const silence = allOf("_silence_");
const random = new SequentialRandom(7);
const quiet = (): number => silence[random.integer(silence.length)]!;
const heard = [...clips.labels].flatMap((label, i) => {
  if (labels[label]!.startsWith("_")) return [];
  const offset = random.integer(hopFrames);
  return [{ label: labels[label]!, trace: traceOf(joined([quiet(), i, quiet()]).subarray(offset * bands)) }];
});
const nothing: Trace[] = [traceOf(joined(allOf("_unknown_"))), traceOf(joined(silence))];
for (const file of readdirSync(talk).sort()) {
  const trace: Float32Array[] = [];
  const model = { manifest, sha256: "", network };
  const onClassification = ({ scores }: { readonly scores: Float32Array }) => void trace.push(scores);
  runOffline((await openRecording(join(talk, file))).blocks(1), model, { onClassification });
  nothing.push(trace);
}
const hours = (nothing.reduce((sum, trace) => sum + trace.length, 0) * hopSeconds) / 3600;

const raisedIn = (trace: Trace, rule: DecisionRule): number => {
  const alarm = new Alarm(rule);
  const output = labels.indexOf(rule.label);
  let raised = 0;
  for (const [i, scores] of trace.entries()) {
    const fromNs = BigInt(Math.round(i * hopSeconds * 1e9));
    const atNs = fromNs + 500_000_000n;
    const change = alarm.take({ fromNs, toNs: fromNs + 1_000_000_000n, atNs, score: scores[output]! });
    if (change?.type === "new") raised++;
  }
  return raised;
};

const measured = (rule: DecisionRule) => {
  const mine = heard.filter(({ label }) => label === rule.label);
  const others = heard.filter(({ label }) => label !== rule.label);
  const found = (100 * mine.filter(({ trace }) => raisedIn(trace, rule) > 0).length) / mine.length;
  const wrong = (100 * others.filter(({ trace }) => raisedIn(trace, rule) > 0).length) / mine.length;
  const perHour = nothing.reduce((sum, trace) => sum + raisedIn(trace, rule), 0) / hours;
  return { rule, found, wrong, perHour, worth: found - wrong - perHour };
};

const grid = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95].flatMap((enter) =>
  [
    [2, 3],
    [3, 3],
    [3, 4],
    [4, 4],
    [4, 5],
    [5, 5],
    [5, 6],
  ].map(([confirm = 0, window = 0]) => ({ enter, confirm, window })),
);
const chosen = manifest.decisions.map((rule) =>
  grid.map((some) => measured({ ...rule, ...some })).reduce((best, next) => (next.worth > best.worth ? next : best)),
);
const mean = (of: (row: (typeof chosen)[number]) => number, rows: typeof chosen) =>
  rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
const summary = (rows: typeof chosen): string =>
  `${mean((r) => r.found, rows).toFixed(1)} % heard, ${mean((r) => r.wrong, rows).toFixed(1)} % of others taken for them, ${(rows.length * mean((r) => r.perHour, rows)).toFixed(1)} false alarms an hour of ${hours.toFixed(2)}`;
for (const { rule, found, wrong, perHour } of chosen) {
  const { label, enter, confirm, window } = rule;
  process.stdout.write(
    `  - { <<: *word, label: "${label}", enter: ${enter}, confirm: ${confirm}, window: ${window} } # ${found.toFixed(1)} % heard, ${wrong.toFixed(1)} % others, ${perHour.toFixed(1)} an hour\n`,
  );
}
process.stdout.write(`before: ${summary(manifest.decisions.map(measured))}\nchosen: ${summary(chosen)}\n`);
