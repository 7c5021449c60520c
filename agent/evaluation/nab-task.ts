import type { DecisionRule, Manifest } from "../../models/manifest.ts";
import type { Network } from "../../models/network/network.ts";
import { quantiseTensor } from "../../models/quantisation.ts";
import { Alarm } from "../../pipelines/decisions/alarm.ts";
import { errorOf, ForecastJudge } from "../../pipelines/decisions/forecast-judge.ts";
import { type ForecastSettings, featureSettings } from "../../pipelines/features.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import { nabSeries, rowFeatures } from "../datasets/nab.ts";
import type { Task } from "./figures.ts";
import { nabNormalised, nabProfiles, windowsScored } from "./nab-score.ts";

/** Thresholds that the sweep tries, in units of the model's own. */
const sweptThresholds = Array.from({ length: 25 }, (_, i) => 2 ** ((i - 8) / 6));

/**
 * The series of NAB that a folder has. A detection is an alarm that the agent raises by the model's own rule: the row that
 * raises it. `nab…` are NAB's profiles with the model's threshold; `nabSwept` is NAB's own protocol, the threshold chosen by
 * the labels, as its leaderboard has it.
 */
export const openNabTask = (manifest: Manifest, folder: string): Task => {
  const settings = featureSettings(manifest.input, "forecast");
  const { scale } = manifest.input;
  const series = nabSeries(folder).map(({ name, values, windows }) => {
    const features = rowFeatures(values, manifest.input, frontEnd(manifest, {}));
    const { data } = quantiseTensor(features, [features.length], { scale, zeroPoint: 0 });
    return { name, rows: values.length, windows, codes: data };
  });
  const rule = manifest.decisions[0]!;
  const periodNs = BigInt(Math.round(1e9 / manifest.input.sampleRateHz));
  const count = series.reduce((sum, { rows }) => sum + rows, 0);
  return {
    samples: count,
    data: `NAB, ${series.length} series, ${windowsScored(series)} windows, without those not given`,
    score(network) {
      const scores = series.map(({ codes }) => scoresOf(network, codes, scale, settings));
      const detections = (factor: number) => scores.map((rows) => raised(rows, rule, factor, periodNs));
      const own = detections(1);
      const { standard, lowFalsePositives, lowFalseNegatives } = nabProfiles;
      const [nab, nabLowFp, nabLowFn] = [standard, lowFalsePositives, lowFalseNegatives].map(
        (profile) => nabNormalised(series, own, profile) / 100,
      ) as [number, number, number];
      const swept = sweptThresholds.map((factor) => nabNormalised(series, detections(factor), standard) / 100);
      const groups = [...new Set(series.map(({ name }) => name.split("/")[0]!))];
      const byGroup = groups.map((group) => {
        const mine = series.flatMap(({ name }, i) => (name.startsWith(`${group}/`) ? [i] : []));
        if (windowsScored(mine.map((i) => series[i]!)) === 0) return [];
        const part =
          nabNormalised(
            mine.map((i) => series[i]!),
            mine.map((i) => own[i]!),
            standard,
          ) / 100;
        return [`nab ${group}`, part] as const;
      });
      const numbers = { nab, nabLowFp, nabLowFn, nabSwept: Math.max(...swept) };
      return { numbers: { ...numbers, ...Object.fromEntries(byGroup.filter((entry) => entry.length > 0)) } };
    },
  };
};

/** The score of each row by the network, as the agent's `forecast` gives it; 0 while there is none. */
export const scoresOf = (
  network: Network,
  codes: Int8Array,
  scale: number,
  settings: ForecastSettings,
): Float32Array => {
  const judge = new ForecastJudge(settings);
  const [row, expected] = [new Float32Array(1), new Float32Array(1)];
  const scores = new Float32Array(codes.length);
  for (const state of network.states ?? []) state.fill(0);
  for (let i = 0; i < codes.length; i++) {
    row[0] = scale * codes[i]!;
    const value = i > 0 ? judge.take(errorOf(row, expected)) : undefined;
    scores[i] = Math.max(0, value ?? 0);
    network.infer(row, expected);
  }
  return scores;
};

/** The rows at which the agent's alarm is raised. */
const raised = (scores: Float32Array, rule: DecisionRule, factor: number, periodNs: bigint): number[] => {
  const alarm = new Alarm({ ...rule, enter: rule.enter * factor, leave: rule.leave * factor });
  const rows: number[] = [];
  const nothing = rule.window === 1 ? rule.leave * factor : 0; // what leaves an alarm at rest as it is
  let isActive = false;
  for (let i = 0; i < scores.length; i++) {
    if (!isActive && scores[i]! < nothing) continue;
    const fromNs = BigInt(i) * periodNs;
    const change = alarm.take({ fromNs, toNs: fromNs + periodNs, atNs: fromNs + periodNs / 2n, score: scores[i]! });
    if (change?.type === "new") rows.push(i);
    if (change) isActive = change.type !== "end";
  }
  return rows;
};
