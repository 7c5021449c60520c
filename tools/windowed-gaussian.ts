/**
 * What the simplest detector of NAB scores on the series that are given, by each of NAB's profiles: to compare `sensor-gru` with.
 *
 *   node tools/windowed-gaussian.ts DATA
 */
import { join } from "node:path";
import { nabSeries } from "../agent/datasets/nab.ts";
import { nabProfiles } from "../agent/evaluation/nab-score.ts";
import { bestByLabels, windowedGaussian } from "../agent/evaluation/windowed-gaussian.ts";

const [data = ""] = process.argv.slice(2);
if (!data) throw new Error("arguments: expected DATA, got none");
const series = nabSeries(join(data, "nab")).map((s) => ({
  rows: s.values.length,
  windows: s.windows,
  values: s.values,
}));
const sigmas = series.map(({ values }) => windowedGaussian(values));
for (const [profile, weights] of Object.entries(nabProfiles)) {
  const { score, threshold } = bestByLabels(series, sigmas, weights);
  process.stdout.write(`${profile}: ${score.toFixed(1)} on ${series.length} series, at ${threshold} deviations\n`);
}
