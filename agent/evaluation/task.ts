import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../models/manifest.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import type { Pipeline } from "../../pipelines/stages.ts";
import { ExitError, exitCodes } from "../cli/exit.ts";
import { bearingFaults, bearingLoads } from "../datasets/bearing-faults.ts";
import { hasTestDigits, pictureFeatures, testDigits } from "../datasets/digits.ts";
import { ecgBeats, recordsOf } from "../datasets/ecg-beats.ts";
import { keywordClips } from "../datasets/keywords.ts";
import { type LabelledFeatures, subset } from "../datasets/labelled.ts";
import type { Fold } from "../datasets/recipe.ts";
import { labelledVectors } from "../datasets/vectors.ts";
import type { Task } from "./figures.ts";
import { classifierMetrics } from "./metrics.ts";
import { openNabTask } from "./nab-task.ts";
import { predict, predictWithDoubt } from "./predict.ts";
import { openPumpTask } from "./pump-task.ts";

/**
 * Opens the recordings that fit a model below `path`. None that the model was trained on is among them.
 *
 * @param fold the records or loads that were left out of its training; left out: as its manifest says
 */
export const openTask = async (manifest: Manifest, path: string, fold?: Fold): Promise<Task> => {
  if (manifest.task === "forecaster") return openNabTask(manifest, below(path, "nab", "labels"));
  if (manifest.task === "autoencoder") return openPumpTask(manifest, below(path, "skab", "valve1"));
  if (manifest.modality === "vectors") {
    const { set, data } = labelledVectors(manifest, path);
    return classifierTask(manifest, set, data);
  }
  if (manifest.modality === "image") {
    const pictures = testDigits(folderOfDigits(path));
    return classifierTask(manifest, pictureFeatures(pictures), `MNIST, ${pictures.count} official test pictures`);
  }
  const pipeline = () => frontEnd(manifest, {});
  const { labels } = manifest;
  if (manifest.modality === "audio") {
    const clips = await keywordClips(keywordFolder(manifest, path), labels, pipeline);
    return classifierTask(manifest, clips, "Speech Commands, official test WAVs");
  }
  if (manifest.modality === "ecg") {
    const folder = below(path, "mitdb", "RECORDS-test");
    const records = fold?.map(String) ?? recordsOf(folder, "test");
    const set = await ecgBeats(folder, records, labels, pipeline);
    const of = fold === undefined ? "DS2" : "DS1";
    return classifierTask(manifest, set, `MIT-BIH ${of}, records ${records.join(" ")}`, "by-group");
  }
  return openBearings(manifest, below(path, "cwru-12k-drive-end", "index.tsv"), pipeline, fold);
};

/** Where the clips of the test are, in one folder a label. @throws ExitError where they are not */
export const keywordFolder = ({ labels }: Manifest, path: string): string =>
  below(below(path, "speech-commands", "test"), "test", labels[0]!);

/** Windows at the loads left out; then how many of faults, read at another rate, are taken for healthy. */
const openBearings = async (
  manifest: Manifest,
  folder: string,
  pipeline: () => Pipeline,
  fold = manifest.training.data?.["leaveOut"] as Fold | undefined,
): Promise<Task> => {
  const loads = fold ?? bearingLoads(folder);
  const { labels, input } = manifest;
  const set = await bearingFaults(folder, loads, labels, pipeline, "test");
  const misread = await bearingFaults(folder, loads, labels, pipeline, "other-rate");
  const data = `CWRU drive end at ${loads.join(", ")} hp, the end of the healthy recording read at 12 and at 48 kHz`;
  const task = classifierTask(manifest, set, data, "by-group");
  return {
    ...task,
    score(network, doubt) {
      const { numbers, detail } = task.score(network, doubt);
      const healthy = predict(network, misread, input.scale).filter((label) => labels[label] === "normal").length;
      return {
        numbers: { ...numbers, "faults read at 48 kHz taken for normal": healthy / misread.count },
        ...(detail && { detail }),
      };
    },
  };
};

/** `path` itself or its folder `mnist`, whichever has test pictures. @throws ExitError when neither does */
const folderOfDigits = (path: string): string =>
  [path, join(path, "mnist")].find(hasTestDigits) ?? below(path, "mnist", "t10k-images-idx3-ubyte.gz");

/** `path` itself where it holds `mark`, else its folder `name`. @throws ExitError when neither does */
const below = (path: string, name: string, mark: string): string => {
  for (const folder of [path, join(path, name)]) if (existsSync(join(folder, mark))) return folder;
  throw new ExitError(
    `--data: expected a folder with ${mark} (or ${name}/${mark}) in it, got ${path}`,
    exitCodes.noInput,
  );
};

/** A task on features read once; each network only runs. */
export const classifierTask = (manifest: Manifest, set: LabelledFeatures, data: string, groups?: "by-group"): Task => ({
  samples: set.count + set.missed.length,
  data,
  part(most) {
    const every = Math.ceil(set.count / most);
    const some = subset(set, (i) => i % every === 0);
    return classifierTask(manifest, some, `${data}, ${some.count} of ${set.count}`);
  },
  score(network, doubt) {
    const { predicted: found, doubted, reads } = predictWithDoubt(network, set, manifest.input.scale, doubt);
    const truth = Int32Array.from([...set.labels, ...set.missed]);
    const predicted = Int32Array.from([...found, ...set.missed.map(() => -1)]);
    const metrics = classifierMetrics(manifest.labels, truth, predicted);
    const numbers: Record<string, number> = { accuracy: metrics.accuracy };
    for (const { label, sensitivity, positivePredictivity } of metrics.classes) {
      if (sensitivity !== null) numbers[`Se ${label}`] = sensitivity;
      if (positivePredictivity !== null) numbers[`+P ${label}`] = positivePredictivity;
    }
    if (doubt !== undefined) Object.assign(numbers, doubtFigures(set, found, doubted), { reads: reads / set.count });
    const byGroup = groups && Object.fromEntries(perGroup(manifest.labels, set, found));
    return { numbers, detail: { ...metrics, ...(byGroup && { byGroup }) } };
  },
});

const doubtFigures = ({ labels }: LabelledFeatures, found: Int32Array, doubted: Uint8Array) => {
  const all = Array.from(found, (answer, i) => ({ isRight: answer === labels[i], doubted: doubted[i] === 1 }));
  const certain = all.filter((answer) => !answer.doubted);
  return {
    doubted: 1 - certain.length / all.length,
    "accuracy of the others": certain.filter(({ isRight }) => isRight).length / Math.max(1, certain.length),
  };
};

function* perGroup(labels: readonly string[], set: LabelledFeatures, found: Int32Array) {
  for (const group of new Set(set.groups)) {
    const mine = set.groups.flatMap((g, i) => (g === group ? [i] : []));
    yield [
      group,
      classifierMetrics(
        labels,
        mine.map((i) => set.labels[i]!),
        mine.map((i) => found[i]!),
      ),
    ] as const;
  }
}
