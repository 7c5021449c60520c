import jpeg from "jpeg-js";
import { RecordingError } from "./recording.ts";

/** Size of one clip's picture: 98 frames of 10 ms × 40 mel bands. */
export const logMelFrames = 98;
export const logMelBands = 40;

/** One clip of the pack, as its line in the `.tsv` says. */
export interface LogMelClip {
  readonly offset: number;
  readonly bytes: number;
  /** `yes … go`, `_unknown_`, `_silence_` */
  readonly label: string;
  readonly word: string;
  readonly speaker: string;
  readonly utterance: string;
  readonly split: string;
}

/**
 * Reads the index of a pack of log-mel pictures.
 * @throws RecordingError (65) naming the line.
 */
export const parseLogMelIndex = (text: string, name: string): LogMelClip[] => {
  const [head = "", ...lines] = text.split(/\r?\n/).filter((line) => line !== "");
  const expected = "offset\tbytes\tlabel\tword\tspeaker\tutterance\tsplit";
  if (head !== expected) throw new RecordingError(65, `${name}:1: expected the columns "${expected}", got "${head}"`);
  return lines.map((line, i) => {
    const [offset, bytes, label = "", word = "", speaker = "", utterance = "", split] = line.split("\t");
    if (split === undefined || !(Number(offset) >= 0) || !(Number(bytes) > 0)) {
      throw new RecordingError(65, `${name}:${i + 2}: expected an offset, a length and five words, got "${line}"`);
    }
    return { offset: Number(offset), bytes: Number(bytes), label, word, speaker, utterance, split };
  });
};

/**
 * Decodes one clip: [98 × 40] grey levels 0 … 255, time first. `level = clip(9.865 ln P − 59.25)`.
 * @throws RecordingError (65) where the picture is broken or has another size.
 */
export const decodeLogMel = (pack: Uint8Array, clip: Pick<LogMelClip, "offset" | "bytes">): Uint8Array => {
  const picture = readJpeg(pack.subarray(clip.offset, clip.offset + clip.bytes), clip.offset);
  if (picture.width !== logMelBands || picture.height !== logMelFrames) {
    const size = `${picture.width} × ${picture.height}`;
    throw new RecordingError(65, `log-mel at ${clip.offset}: expected a picture of 40 × 98, got ${size}`);
  }
  const levels = new Uint8Array(logMelFrames * logMelBands);
  for (let i = 0; i < levels.length; i++) levels[i] = picture.data[3 * i]!;
  return levels;
};

const readJpeg = (bytes: Uint8Array, offset: number) => {
  try {
    return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false });
  } catch (cause) {
    throw new RecordingError(
      65,
      `log-mel at ${offset}: expected a JPEG, got ${bytes.length} bytes that do not decode`,
      { cause },
    );
  }
};
