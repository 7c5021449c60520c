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

/** The loads of all recordings of faults, hp, rising. */
export const bearingLoads = (folder: string): number[] =>
  [...new Set(bearingFiles(folder).map((f) => f.loadHp))].sort((a, b) => a - b);

/** Part of the one recording without a fault that is trained on, its beginning; the rest is tested on. */
const normalTrained = 0.6;
/** The rates that a recording is read at for training, over 12 kHz: as it is, as by a shaft a little slower or faster, disputed. */
const trainedRates = [1, 0.97, 1.03, 4] as const;
const testedRates = [1, 4] as const;

/**
 * Windows of bearing recordings: of those with faults at the given loads, and of the healthy one, at 0 hp, whichever loads
 * are given, its beginning or its end.
 *
 * The sample rate of the healthy recording is disputed (12 or 48 kHz). So that nothing can be known by the rate, all
 * recordings are read at both for training, and at 3 % less and more, as other loads turn the shaft. For a test the healthy one is read at both, those with faults as they are;
 * for `other-rate` those with faults as if they were taken at 48 kHz, and the healthy one is left out.
 */
export const bearingFaults = async (
  folder: string,
  loads: readonly (number | string)[],
  labels: readonly string[],
  pipeline: () => Pipeline,
  use: "training" | "test" | "other-rate",
): Promise<LabelledFeatures> => {
  const samples: LabelledSample[] = [];
  let shape: readonly number[] = [];
  for (const { file, label, loadHp, gPerCount } of bearingFiles(folder)) {
    const healthy = label === "normal";
    if (healthy ? use === "other-rate" : !loads.includes(loadHp)) continue;
    const recording = await openRecording(join(folder, file), { fullScale: gPerCount * 32768 });
    for (const rate of use === "training" ? trainedRates : testedRates) {
      if (!healthy && use !== "training" && rate !== (use === "test" ? 1 : 4)) continue;
      const features = collectFeatures(pipeline(), atRate(recording.blocks(1), rate));
      shape = features[0]?.shape ?? shape;
      const split = Math.floor(normalTrained * features.length);
      const some = !healthy ? features : use === "training" ? features.slice(0, split) : features.slice(split + 4);
      for (const { data } of some) samples.push({ data, label: labels.indexOf(label), group: `${file} × ${rate}` });
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
      startAtNs: BigInt(Math.round(Number(block.startAtNs) / factor)),
    };
  }
}
