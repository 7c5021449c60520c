import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SampleBlock } from "../../pipelines/signal.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { openRecording } from "../recordings/open.ts";
import { collectFeatures } from "./collect.ts";
import { type LabelledFeatures, type LabelledSample, pack } from "./labelled.ts";

/** The words of `index.tsv` and ours. */
const labelOfFault: Readonly<Record<string, string>> = {
  normal: "normal",
  B: "ball",
  IR: "inner-race",
  OR: "outer-race",
};

interface BearingFile {
  readonly file: string;
  readonly label: string;
  readonly loadHp: number;
  readonly gPerCount: number;
}

/** The recordings of `index.tsv`. */
export const bearingFiles = (folder: string): BearingFile[] => {
  const [head = "", ...lines] = readFileSync(join(folder, "index.tsv"), "utf8").trim().split("\n");
  const column = (name: string) => head.split("\t").indexOf(name);
  return lines.map((line) => {
    const cells = line.split("\t");
    return {
      file: cells[column("file")]!,
      label: labelOfFault[cells[column("fault")]!]!,
      loadHp: Number(cells[column("load_hp")]),
      gPerCount: Number(cells[column("scale_g_per_count")]),
    };
  });
};

/**
 * Windows of bearing recordings at the given loads.
 *
 * @param spreadNormal the sample rate of the healthy recording is disputed (12 or 48 kHz): with `both` it is read at
 *   both rates, so that a classifier cannot know healthy bearings by their rate
 */
export const bearingFaults = async (
  folder: string,
  loads: readonly number[],
  labels: readonly string[],
  pipeline: () => Pipeline,
  spreadNormal: "as-is" | "both",
): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  let shape: readonly number[] = [];
  for (const { file, label, loadHp, gPerCount } of bearingFiles(folder)) {
    if (!loads.includes(loadHp)) continue;
    const recording = await openRecording(join(folder, file), { fullScale: gPerCount * 32768 });
    const rates = label === "normal" && spreadNormal === "both" ? [1, 4] : [1];
    for (const factor of rates) {
      const features = collectFeatures(pipeline(), atRate(recording.blocks(1), factor));
      shape = features[0]?.shape ?? shape;
      for (const { data } of features)
        samples.push({ data, label: labels.indexOf(label), group: `${file} × ${factor}` });
    }
  }
  return pack(shape, samples);
};

/** The same samples, said to be taken `factor` times as fast. */
function* atRate(blocks: Iterable<SampleBlock>, factor: number): Generator<SampleBlock> {
  for (const block of blocks) {
    yield {
      ...block,
      sampleRateHz: block.sampleRateHz * factor,
      startAtNs: block.startAtNs / BigInt(factor),
    };
  }
}
