import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../models/model.ts";
import type { AnomalyChange } from "../../pipelines/signal.ts";
import { runOffline } from "../offline.ts";
import { openRecording } from "../recordings/open.ts";

/** What the decision rules of a keyword model make of words spoken alone. */
export interface WordsHeard {
  readonly words: number;
  /** Part of them for which an alarm of their label was raised. */
  readonly heard: number;
  /** Part of them for which one of another label was raised. */
  readonly takenForOthers: number;
}

/** What a clip is played between, s, and its level: some −80 dB. */
const quietSeconds = 1;
const quietLevel = 1e-4;

/**
 * Play each clip of the labels that have a rule to the model, as a stream of its own, after a second of near silence and
 * before another.
 *
 * @param folder has a folder of clips a label
 */
export const wordsHeard = async (model: Model, folder: string): Promise<WordsHeard> => {
  const labels = new Set(model.manifest.decisions.map(({ label }) => label));
  let [words, heard, others] = [0, 0, 0];
  for (const label of labels) {
    for (const file of readdirSync(join(folder, label)).sort()) {
      const { stream, channels, sampleRateHz, segments } = await openRecording(join(folder, label, file));
      const samples = amidSilence(segments[0]!.samples, quietSeconds * sampleRateHz);
      const raised = new Set<string>();
      const onChange = ({ type, anomaly }: AnomalyChange): void => {
        if (type === "new") raised.add(anomaly.kind);
      };
      runOffline([{ stream, channels, sampleRateHz, startAtNs: 0n, samples }], model, { onChange });
      words++;
      if (raised.has(label)) heard++;
      if ([...raised].some((other) => other !== label)) others++;
    }
  }
  return { words, heard: heard / words, takenForOthers: others / words };
};

const amidSilence = (clip: Float32Array, pauseSamples: number): Float32Array => {
  const samples = Float32Array.from(
    { length: clip.length + 2 * pauseSamples },
    (_, i) => quietLevel * Math.sin((i + 1) ** 2 * 12.9898),
  );
  for (const [i, x] of clip.entries()) samples[pauseSamples + i]! += x;
  return samples;
};
