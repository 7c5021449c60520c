import { gunzipSync } from "node:zlib";
import { RecordingError } from "./recording.ts";

/** An IDX file of unsigned bytes (MNIST): row-major, e.g. [images × 28 × 28] or [labels]. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped [yann.lecun.com/exdb/mnist].
 * @throws RecordingError (65)
 */
export const decodeIdx = (file: Uint8Array, name: string): IdxArray => {
  const bad = (expected: string, got: string, cause?: unknown) =>
    new RecordingError(65, `${name}: expected ${expected}, got ${got}`, { cause });
  let bytes = file;
  if (file[0] === 0x1f && file[1] === 0x8b) {
    try {
      bytes = new Uint8Array(gunzipSync(file));
    } catch (cause) {
      throw bad("a whole gzip file", `${file.length} bytes that do not unpack`, cause);
    }
  }
  const dimensions = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * dimensions || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || dimensions === 0) {
    throw bad(
      "an IDX header of unsigned bytes (00 00 08 …)",
      `${[...bytes.subarray(0, 4)].join(" ") || "an empty file"}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, n) => product * n, 1);
  const data = bytes.subarray(4 + 4 * dimensions);
  if (data.length !== size) throw bad(`${size} bytes of data for ${shape.join(" × ")}`, String(data.length));
  return { shape, data };
};
