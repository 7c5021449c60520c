import type { Manifest } from "../../models/manifest.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import { collectFeatures } from "../datasets/collect.ts";
import type { Feedback } from "../store/alarm-desk.ts";
import type { Lesson } from "./learned.ts";

/** Windows taken of one anomaly, at most; of a long one they lie evenly. */
const mostWindows = 8;

/**
 * The windows of an anomaly as its model takes them, by the pipeline of its modality from the signal that was kept with
 * it: those from its beginning to its end, to half a hop. Or a sentence why there are none.
 */
export const lessonOf = ({ anomaly, label, mark, evidence }: Feedback, manifest: Manifest): Lesson | string => {
  const place = manifest.labels.indexOf(label);
  if (place < 0) {
    const known = manifest.labels.join(", ");
    return `${anomaly.id}: expected a label of ${manifest.name} (${known}) to learn from, got ${label}`;
  }
  const { scale, shape, hopSamples, sampleRateHz } = manifest.input;
  const slackNs = BigInt(Math.round((0.5e9 * hopSamples) / sampleRateHz));
  const block = evidence && { ...evidence, stream: anomaly.stream };
  const features = block === undefined ? [] : collectFeatures(frontEnd(manifest, {}), [block]);
  const within = features.filter(
    ({ fromNs, toNs }) => fromNs >= anomaly.fromNs - slackNs && toNs <= anomaly.toNs + slackNs,
  );
  if (within.length === 0) return `${anomaly.id}: expected its signal to have a window to learn from, got none`;
  const every = Math.max(1, within.length / mostWindows);
  const some = Array.from({ length: Math.min(mostWindows, within.length) }, (_, n) => within[Math.floor(n * every)]!);
  const inputs = some.map(({ data }) => {
    const input = new Float32Array(data.length);
    dequantiseInto(quantiseTensor(data, shape, { scale, zeroPoint: 0 }), input);
    return input;
  });
  return { id: anomaly.id, atMs: mark.atMs, label: place, inputs };
};
