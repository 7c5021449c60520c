import type { Model } from "../../models/model.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { pixelScale } from "../datasets/digits.ts";
import { openPictures } from "../recordings/pictures.ts";
import { RecordingError } from "../recordings/recording.ts";

/** One picture's answer. */
export interface PictureLine {
  readonly file: string;
  /** Place in the file, from 0. */
  readonly picture: number;
  readonly label: string;
  readonly probability: number;
  /** To the next best. */
  readonly margin: number;
}

/**
 * Classify the pictures of a file (IDX, PGM, PNG) one after the other.
 * @throws RecordingError as `openPictures`, or 65 where they have not the size that the model takes
 */
export function* classifyPictures(file: string, { manifest, network }: Model): Generator<PictureLine> {
  const { pixels, count, height, width } = openPictures(file);
  const { shape, scale } = manifest.input;
  if (height !== shape[0] || width !== shape[1]) {
    throw new RecordingError(65, `${file}: expected pictures of ${shape[0]} × ${shape[1]}, got ${height} × ${width}`);
  }
  const input = new Float32Array(height * width);
  const scores = new Float32Array(manifest.labels.length);
  for (let picture = 0; picture < count; picture++) {
    for (let i = 0; i < input.length; i++) input[i] = pixels[picture * input.length + i]! * pixelScale;
    dequantiseInto(quantiseTensor(input, shape, { scale, zeroPoint: 0 }), input);
    network.infer(input, scores);
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
    const [best = 0, next = 0] = order;
    const probability = scores[best]!;
    yield { file, picture, label: manifest.labels[best]!, probability, margin: probability - scores[next]! };
  }
}
