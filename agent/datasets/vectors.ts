import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../models/manifest.ts";
import type { Quantisation } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import { decodeNpy } from "../recordings/npy.ts";
import { RecordingError } from "../recordings/recording.ts";
import { type LabelledFeatures, pack } from "./labelled.ts";

/** Front end of features made elsewhere: how their int8 codes stand for reals, where files hold such. */
export interface VectorSettings {
  readonly kind: "vectors";
  readonly codes?: Quantisation;
}

/**
 * Features that were made elsewhere, as a model takes them: a `.npy` file, the samples along its first axis, or the plain
 * int8 codes of all samples one after the other (`.bin`).
 *
 * @param size  numbers of one sample
 * @param codes what int8 codes stand for; left out: themselves
 * @throws RecordingError: 66 where there is no such file, 65 where it does not fit
 */
export const readVectors = (path: string, size: number, codes: Quantisation | undefined): Float32Array[] => {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new RecordingError(66, `${path}: expected a file of features, got ${(cause as Error).message}`, { cause });
  }
  const isNpy = path.endsWith(".npy");
  const array = isNpy ? decodeNpy(bytes, path) : { type: "int8", values: Float32Array.from(new Int8Array(bytes)) };
  const { values } = array;
  if (values.length === 0 || values.length % size !== 0) {
    throw new RecordingError(65, `${path}: expected samples of ${size} numbers, got ${values.length} numbers in all`);
  }
  if (array.type === "int8" && !isNpy && !codes) {
    throw new RecordingError(65, `${path}: expected --codes SCALE,ZERO for a file of int8 codes, got none`);
  }
  const { scale, zeroPoint } = (array.type === "int8" ? codes : undefined) ?? { scale: 1, zeroPoint: 0 };
  return Array.from({ length: values.length / size }, (_, i) =>
    values.slice(i * size, (i + 1) * size).map((code) => scale * (code - zeroPoint)),
  );
};

/**
 * The labelled features of a folder, or of its folder `mlperf-tiny`: one file of vectors (`.npy` or `.bin`), and beside it
 * one that ends in `y_labels.csv` with a line a sample whose last cell is the label or its number.
 */
export const labelledVectors = (manifest: Manifest, path: string): { set: LabelledFeatures; data: string } => {
  const folder = [path, join(path, "mlperf-tiny")].find((candidate) => listed(candidate).some(isLabels));
  if (folder === undefined) {
    throw new RecordingError(66, `--data: expected a folder with a file …y_labels.csv in it, got ${path}`);
  }
  const names = listed(folder);
  const [vectors, ...others] = names.filter((name) => /\.(npy|bin)$/.test(name));
  if (vectors === undefined || others.length > 0) {
    throw new RecordingError(
      66,
      `${folder}: expected one .npy or .bin file of vectors, got ${others.length ? others.length + 1 : 0}`,
    );
  }
  const { shape, features } = manifest.input;
  const samples = readVectors(join(folder, vectors), sizeOf(shape), (features as unknown as VectorSettings).codes);
  const file = names.find(isLabels)!;
  const lines = readFileSync(join(folder, file), "utf8").trim().split(/\r?\n/);
  if (lines.length !== samples.length) {
    throw new RecordingError(65, `${file}: expected ${samples.length} lines, one a sample, got ${lines.length}`);
  }
  const labels = lines.map((line, i) => {
    const cell = line.split(",").at(-1)!.trim();
    const label = /^\d+$/.test(cell) ? Number(cell) : manifest.labels.indexOf(cell);
    if (label >= 0 && label < manifest.labels.length) return label;
    throw new RecordingError(65, `${file}:${i + 1}: expected a label of the model or its number, got ${cell}`);
  });
  const set = pack(
    shape,
    samples.map((data, i) => ({ data, label: labels[i]!, group: vectors })),
  );
  return { set, data: `${vectors}, ${samples.length} labelled vectors` };
};

const isLabels = (name: string): boolean => name.endsWith("y_labels.csv");

const listed = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};
