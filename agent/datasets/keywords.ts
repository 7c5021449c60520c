import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SampleBlock } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { decodeLogMel, logMelBands, logMelFrames, parseLogMelIndex } from "../recordings/log-mel-pack.ts";
import { openRecording } from "../recordings/open.ts";
import { collectFeatures } from "./collect.ts";
import { type LabelledFeatures, type LabelledSample, pack } from "./labelled.ts";

/** Clips as log-mel pictures: [count × 98 × 40] grey levels, time first. */
export interface LogMelClips {
  readonly x: Uint8Array<SharedArrayBuffer>;
  readonly labels: Int32Array;
  readonly count: number;
}

/**
 * The clips of one official split from the packed log-mel pictures, by speakers that no other split has.
 *
 * @param folder holds `log-mel.jpgpack` and `log-mel.tsv`
 */
export const keywordPictures = (folder: string, labels: readonly string[], split: string): LogMelClips => {
  const bytes = readFileSync(join(folder, "log-mel.jpgpack"));
  const clips = parseLogMelIndex(readFileSync(join(folder, "log-mel.tsv"), "utf8"), "log-mel.tsv").filter(
    (clip) => clip.split === split && labels.includes(clip.label),
  );
  const size = logMelBands * logMelFrames;
  const x = new Uint8Array(new SharedArrayBuffer(size * clips.length));
  for (const [i, clip] of clips.entries()) x.set(decodeLogMel(bytes, clip), i * size);
  return { x, labels: Int32Array.from(clips, (clip) => labels.indexOf(clip.label)), count: clips.length };
};

/** WAV clips in one folder a label, through the agent's own front end; short clips are padded with silence. */
export const keywordClips = async (
  folder: string,
  labels: readonly string[],
  pipeline: () => Pipeline,
): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  let shape: readonly number[] = [];
  for (const [label, name] of labels.entries()) {
    for (const file of readdirSync(join(folder, name)).sort()) {
      const recording = await openRecording(join(folder, name, file));
      const features = collectFeatures(pipeline(), padded(recording.blocks(2), recording.sampleRateHz));
      if (features[0] === undefined) throw new RangeError(`${name}/${file}: expected one window of 1 s, got none`);
      shape = features[0].shape;
      samples.push({ data: features[0].data, label, group: `${name}/${file}` });
    }
  }
  return pack(shape, samples);
};

/** One block of exactly one second. */
function* padded(blocks: Iterable<SampleBlock>, rateHz: number): Generator<SampleBlock> {
  for (const block of blocks) {
    const samples = new Float32Array(rateHz);
    samples.set(block.samples.subarray(0, rateHz));
    yield { ...block, samples };
    return;
  }
}
