import { type Recording, recordingOf } from "../../agent/recordings/recording.ts";
import { SequentialRandom } from "../../models/random.ts";

/** Row at which the metric leaves its course. */
export const jumpRow = 900;

/** A metric every 5 minutes with a daily wave, by seed; from `jumpRow` on it stays far above. */
export const metricRecording = (): Recording => {
  const random = new SequentialRandom(288);
  const samples = Float32Array.from({ length: 1100 }, (_, row) => {
    const wave = 50 + 10 * Math.sin((2 * Math.PI * row) / 288) + random.gaussian();
    return row < jumpRow ? wave : wave + 60;
  });
  return recordingOf({
    ...{ stream: "metric", channels: ["value"], units: [""], sampleRateHz: 1 / 300 },
    segments: [{ startAtNs: 0n, samples }],
  });
};
