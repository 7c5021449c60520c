import { join } from "node:path";
import type { InputContract } from "../../models/manifest.ts";
import { SequentialRandom } from "../../models/random.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { TrainOptions } from "../../models/training/trainer.ts";
import type { TrainingSet } from "../../models/training/training-set.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { KeywordFeatures } from "./augment-keywords.ts";
import { type BeatBalance, balanceBeats } from "./balance-beats.ts";
import { bearingFaults, bearingLoads } from "./bearing-faults.ts";
import { blockedDetector } from "./blocked-beats.ts";
import { pictureFeatures, trainingDigits, trainingSetOf } from "./digits.ts";
import { type BeatLead, ecgBeats, recordsOf } from "./ecg-beats.ts";
import { keywordPictures, type LogMelClips } from "./keywords.ts";
import { joined, type LabelledFeatures, momentsOf, standardise, subset } from "./labelled.ts";
import { forecastWindows, probationFeatures } from "./nab.ts";
import { pumpNormalWindows } from "./pump.ts";
import { rearranged, rearrangements } from "./rearranged-beats.ts";
import { type Fold, leftOutOf, type Recipe } from "./recipe.ts";

/** Everything that training takes, made from recordings. */
export interface Prepared {
  readonly training: TrainingSet;
  readonly validation: TrainingSet;
  /** Standardised features out of the training recordings, to set ranges by. */
  readonly calibration: readonly Float32Array[];
  readonly input: InputContract;
  /** Rows of each series that a forecaster was trained on, to set its threshold by. */
  readonly series?: readonly Float32Array[];
  readonly augment?: NonNullable<TrainOptions["augment"]>;
}

/**
 * Read the recordings that a recipe names below the data folder `root`.
 *
 * @param leftOut records or loads that are not trained on; left out: those that the recipe leaves out
 * @param read    of the same recipe, so that its folds read the recordings once; filled
 */
export const prepare = async (
  recipe: Recipe,
  root: string,
  leftOut = leftOutOf(recipe),
  read: ReadBefore = {},
): Promise<Prepared> => {
  const { data } = recipe;
  const { kind } = data;
  if (kind === "keywords") return prepareKeywords(recipe, join(root, "speech-commands"));
  if (data.kind === "ecg-beats") return prepareEcg(recipe, join(root, "mitdb"), leftOut, data.balance, read);
  if (kind === "bearing-faults") return prepareBearings(recipe, join(root, "cwru-12k-drive-end"), leftOut);
  if (data.kind === "nab") return prepareNab(recipe, join(root, "nab"), data.hopRows);
  if (kind === "digits") return prepareDigits(recipe, join(root, "mnist"));
  return preparePump(recipe, join(root, "skab"));
};

/** What takes long to read, kept for the next fold. */
export interface ReadBefore {
  ecg?: LabelledFeatures;
  blocked?: LabelledFeatures;
  rearranged?: LabelledFeatures[];
}

/** The contract of a recipe once its features are known: with their statistics and the width of a code. */
const contractOf = (recipe: Recipe, statistics: Record<string, unknown> = {}): InputContract => {
  const { clip, features, ...rest } = recipe.input;
  return { ...rest, features: { ...features, ...statistics }, scale: clip / 127 };
};

/** A new pipeline a recording, as the agent has one a stream. */
const frontEndOf =
  ({ modality, task, labels }: Recipe, input: InputContract): (() => Pipeline) =>
  () =>
    frontEnd({ modality, task, labels, input }, {});

const neutral = { mean: [0], std: [1] };

const prepareKeywords = (recipe: Recipe, folder: string): Prepared => {
  const training = keywordPictures(folder, recipe.labels, "training");
  const validation = keywordPictures(folder, recipe.labels, "validation");
  const coefficients = Number(recipe.input.features["coefficients"]);
  const plain = new KeywordFeatures(coefficients, neutral.mean, neutral.std);
  const some = featuresOf(plain, training, pick(training.count, 4000, recipe.training.seed), recipe.input.shape);
  const statistics = momentsOf(some, coefficients);
  const final = new KeywordFeatures(coefficients, statistics.mean, statistics.std);
  const all = Array.from({ length: validation.count }, (_, i) => i);
  const { calibrationSamples } = recipe.mapping;
  const calibration = featuresOf(
    final,
    training,
    pick(training.count, calibrationSamples, recipe.training.seed + 1),
    recipe.input.shape,
  );
  return {
    training: { shape: recipe.input.shape, count: training.count, x: training.x, labels: training.labels },
    validation: featuresOf(final, validation, all, recipe.input.shape),
    calibration: rowsOf(calibration),
    input: contractOf(recipe, statistics),
    augment: {
      module: new URL("./augment-keywords.ts", import.meta.url),
      options: { how: recipe.augment, coefficients, ...statistics },
    },
  };
};

const featuresOf = (
  maker: KeywordFeatures,
  clips: LogMelClips,
  indices: ArrayLike<number>,
  shape: readonly number[],
): LabelledFeatures => {
  const size = sizeOf(shape);
  const x = new Float32Array(new SharedArrayBuffer(4 * size * indices.length));
  const labels = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const picture = clips.x.subarray(indices[i]! * size, (indices[i]! + 1) * size);
    maker.plainInto(picture, x.subarray(i * size, (i + 1) * size));
    labels[i] = clips.labels[indices[i]!]!;
  }
  return { shape, count: indices.length, x, labels, groups: [], missed: [] };
};

const prepareEcg = async (
  recipe: Recipe,
  folder: string,
  leftOut: Fold,
  balance: BeatBalance & {
    readonly blockedBeats: number;
    readonly rearranged: { readonly normalBeats: number; readonly earlyBeats: number };
  },
  read: ReadBefore,
): Promise<Prepared> => {
  const input = contractOf(recipe);
  const pipeline = frontEndOf(recipe, input);
  const { labels } = recipe;
  const deaf = () => frontEnd({ ...recipe, input }, { createDetector: blockedDetector });
  const records = recordsOf(folder, "train");
  const all = read.ecg ?? (await ecgBeats(folder, records, labels, pipeline));
  const slow = read.blocked ?? (await ecgBeats(folder, records, labels, deaf));
  const others = read.rearranged ?? [];
  if (others.length === 0) {
    for (const how of rearrangements) {
      const change = (lead: BeatLead, record: number) => rearranged(lead, how, recipe.training.seed, record);
      others.push(await ecgBeats(folder, records, labels, pipeline, change));
    }
  }
  Object.assign(read, { ecg: all, blocked: slow, rearranged: others });
  // A false detection has no class to learn. Every tenth beat tells whether training went well; it chose no setting.
  const known = (i: number) => all.labels[i]! >= 0 && !leftOut.includes(all.groups[i]!);
  const validation = subset(all, (i) => known(i) && i % 10 === 0);
  const learned = subset(all, (i) => known(i) && i % 10 !== 0);
  const normal = subset(slow, (i) => slow.labels[i] === 0 && !leftOut.includes(slow.groups[i]!));
  const { normalBeats, earlyBeats } = balance.rearranged;
  const training = [
    balanceBeats(normal, { ...balance, normalBeats: balance.blockedBeats }),
    ...others.map((set) =>
      balanceBeats(
        subset(set, (i) => set.labels[i]! >= 0 && !leftOut.includes(set.groups[i]!)),
        { normalBeats, factor: earlyBeats, power: 0 },
      ),
    ),
  ].reduce(joined, balanceBeats(learned, balance));
  return {
    ...{ training, validation, calibration: some(training, recipe), input },
    ...(recipe.augment && {
      augment: {
        module: new URL("./augment-beats.ts", import.meta.url),
        options: { channels: recipe.input.features["channels"], ...recipe.augment },
      },
    }),
  };
};

const prepareBearings = async (recipe: Recipe, folder: string, leftOut: Fold): Promise<Prepared> => {
  const raw = contractOf(recipe, neutral);
  const loads = bearingLoads(folder).filter((load) => !leftOut.includes(load));
  const all = await bearingFaults(folder, loads, recipe.labels, frontEndOf(recipe, raw), "training");
  const statistics = momentsOf(all, Number(recipe.input.features["bands"]));
  standardise(all, statistics.mean, statistics.std);
  const last = lastFifthOfEachGroup(all);
  const training = subset(all, (i) => !last.has(i));
  const validation = subset(all, (i) => last.has(i));
  return { training, validation, calibration: some(training, recipe), input: contractOf(recipe, statistics) };
};

const preparePump = async (recipe: Recipe, folder: string): Promise<Prepared> => {
  const input = contractOf(recipe);
  const all = await pumpNormalWindows(folder, frontEndOf(recipe, input));
  const last = lastFifthOfEachGroup(all);
  const training = subset(all, (i) => !last.has(i));
  return { training, validation: subset(all, (i) => last.has(i)), calibration: some(training, recipe), input };
};

const prepareNab = (recipe: Recipe, folder: string, hopRows: number): Prepared => {
  const input = contractOf(recipe, { threshold: 1 });
  const series = probationFeatures(folder, input, frontEndOf(recipe, input));
  const all = forecastWindows(series, input.windowSamples, hopRows);
  const last = lastFifthOfEachGroup(all);
  const training = subset(all, (i) => !last.has(i));
  const validation = subset(all, (i) => last.has(i));
  return { training, validation, calibration: some(training, recipe), input, series: series.map(({ rows }) => rows) };
};

const prepareDigits = (recipe: Recipe, folder: string): Prepared => {
  const training = trainingDigits(folder, "training");
  const { height, width } = training;
  return {
    training: trainingSetOf(training),
    validation: trainingSetOf(trainingDigits(folder, "validation")),
    calibration: some(pictureFeatures(training), recipe),
    input: contractOf(recipe),
    ...(recipe.augment && {
      augment: {
        module: new URL("./augment-digits.ts", import.meta.url),
        options: { height, width, ...recipe.augment },
      },
    }),
  };
};

/** The end of each recording, so that validation windows do not overlap those trained on but for the one at the seam. */
const lastFifthOfEachGroup = (set: LabelledFeatures): Set<number> => {
  const held = new Set<number>();
  for (const group of new Set(set.groups)) {
    const mine = set.groups.flatMap((g, i) => (g === group ? [i] : []));
    for (const i of mine.slice(Math.floor(mine.length * 0.8))) held.add(i);
  }
  return held;
};

const some = (set: LabelledFeatures, recipe: Recipe): Float32Array[] => {
  const chosen = new Set(pick(set.count, recipe.mapping.calibrationSamples, recipe.training.seed));
  return rowsOf(subset(set, (i) => chosen.has(i)));
};

const rowsOf = (set: LabelledFeatures): Float32Array[] => {
  const size = sizeOf(set.shape);
  return Array.from({ length: set.count }, (_, i) => Float32Array.from(set.x.subarray(i * size, (i + 1) * size)));
};

/** `n` different indices below `count`, by seed. */
const pick = (count: number, n: number, seed: number): number[] => {
  const order = Array.from({ length: count }, (_, i) => i);
  new SequentialRandom(seed, [count, n, 0]).shuffle(order);
  return order.slice(0, n);
};
