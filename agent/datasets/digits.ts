import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TrainingSet } from "../../models/training/training-set.ts";
import { decodeIdx } from "../recordings/idx.ts";
import type { LabelledFeatures } from "./labelled.ts";

/** Grey levels of pictures and the class of each. */
export interface Pictures {
  /** [count × height × width], 0 … 255 */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Training pictures at the end of the file that are kept for choosing the best pass. */
export const validationPictures = 5000;

/**
 * The training pictures of MNIST, without those kept for validation, or these.
 *
 * @param folder holds the files by their official names, gzipped or not
 * @throws RecordingError when a file is no IDX file or the two do not fit
 */
export const trainingDigits = (folder: string, split: "training" | "validation"): Pictures => {
  const all = readPictures(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
  const border = all.count - validationPictures;
  return split === "training" ? partOf(all, 0, border) : partOf(all, border, all.count);
};

/** The test pictures, or as many of them as the folder has. @throws as `trainingDigits` */
export const testDigits = (folder: string): Pictures => {
  const name = testPart(folder) ?? "t10k";
  return readPictures(folder, `${name}-images-idx3-ubyte`, `${name}-labels-idx1-ubyte`);
};

/** Whether a folder has test pictures. */
export const hasTestDigits = (folder: string): boolean => testPart(folder) !== undefined;

const testPart = (folder: string): string | undefined =>
  ["t10k", "t5k-even", "t5k-odd"].find((name) => fileOf(folder, `${name}-images-idx3-ubyte`) !== undefined);

/** A grey level as the network sees it: 0 … 1, the background at 0, where it costs a crossbar neither current nor noise. */
export const pixelScale = 1 / 255;

/** Pictures as a set to train on: bytes that are scaled as they are read. */
export const trainingSetOf = ({ pixels, labels, count, height, width }: Pictures): TrainingSet => ({
  shape: [height, width, 1],
  count,
  x: pixels,
  scale: pixelScale,
  labels,
});

/** Pictures as features. */
export const pictureFeatures = ({ pixels, labels, count, height, width }: Pictures): LabelledFeatures => {
  const x = new Float32Array(new SharedArrayBuffer(4 * pixels.length));
  for (let i = 0; i < x.length; i++) x[i] = pixels[i]! * pixelScale;
  return { shape: [height, width, 1], count, x, labels, groups: [], missed: [] };
};

const readPictures = (folder: string, imagesName: string, labelsName: string): Pictures => {
  const images = readIdx(folder, imagesName);
  const labels = readIdx(folder, labelsName);
  const [count, height, width] = images.shape as [number, number, number];
  if (images.shape.length !== 3 || labels.shape.join() !== `${count}`) {
    throw new RangeError(`${labelsName}: expected a label a picture of [${images.shape}], got [${labels.shape}]`);
  }
  return { pixels: images.data, labels: Int32Array.from(labels.data), count, height, width };
};

const readIdx = (folder: string, name: string) => {
  const path = fileOf(folder, name) ?? join(folder, name);
  return decodeIdx(readFileSync(path), name);
};

const fileOf = (folder: string, name: string): string | undefined =>
  [name, `${name}.gz`].map((file) => join(folder, file)).find((path) => existsSync(path));

const partOf = ({ pixels, labels, height, width }: Pictures, from: number, to: number): Pictures => {
  const size = height * width;
  return {
    pixels: pixels.subarray(from * size, to * size),
    labels: labels.subarray(from, to),
    ...{ count: to - from, height, width },
  };
};
