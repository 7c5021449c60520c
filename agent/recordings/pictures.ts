import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { inflateSync } from "node:zlib";
import { decodeIdx } from "./idx.ts";
import { RecordingError } from "./recording.ts";

/** Grey pictures of one size, out of one file. */
export interface PictureFile {
  /** [count × height × width], 0 … 255 */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Reads the pictures of a file, by content: IDX of images (plain or gzipped), PGM (`P5` or `P2`), PNG of 8 bits a
 * sample, not interlaced, grey or colour (its luma by ITU-R BT.601).
 * @throws RecordingError 66 where there is no such file, 65 where it cannot be understood.
 */
export const openPictures = (path: string): PictureFile => {
  const name = basename(path);
  const bytes = readBytes(path);
  const begin = new TextDecoder("latin1").decode(bytes.subarray(0, 4));
  if (begin.slice(1) === "PNG") return decodePng(bytes, name);
  if (/^P[25]\s/.test(begin)) return decodePgm(bytes, name);
  const { shape, data } = decodeIdx(bytes, name);
  if (shape.length !== 3) throw new RecordingError(65, `${name}: expected images [n × h × w], got [${shape}]`);
  const [count, height, width] = shape as [number, number, number];
  return { pixels: data, count, height, width };
};

const readBytes = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an unknown error";
    throw new RecordingError(66, `${path}: expected a file that can be read, got ${code}`, { cause });
  }
};

/** Portable grey map [netpbm.sourceforge.net/doc/pgm.html]: `P5 width height most` and bytes, or `P2` and decimals. */
const decodePgm = (bytes: Uint8Array, name: string): PictureFile => {
  const text = new TextDecoder("latin1").decode(bytes);
  const head = /^P([25])\s(?:\s*#.*\n|\s)*(\d+)(?:\s*#.*\n|\s)+(\d+)(?:\s*#.*\n|\s)+(\d+)\s/.exec(text);
  const [width, height, most] = [Number(head?.[2]), Number(head?.[3]), Number(head?.[4])];
  if (!head || !(width > 0 && height > 0 && most > 0 && most <= 255)) {
    throw new RecordingError(
      65,
      `${name}: expected a PGM of at most 255 levels, got ${JSON.stringify(text.slice(0, 20))}`,
    );
  }
  const rest = text.slice(head[0].length);
  const levels = head[1] === "5" ? bytes.subarray(head[0].length) : rest.trim().split(/\s+/).map(Number);
  if (levels.length < width * height) {
    throw new RecordingError(65, `${name}: expected ${width * height} pixels, got ${levels.length}`);
  }
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => Math.round((levels[i]! * 255) / most));
  return { pixels, count: 1, height, width };
};

/** Samples a pixel by PNG colour type [PNG, 11.2.2]: grey, RGB, grey and alpha, RGBA. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

const decodePng = (bytes: Uint8Array, name: string): PictureFile => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let header: DataView | undefined;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    const chunk = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR" && length === 13) header = new DataView(chunk.buffer, chunk.byteOffset, 13);
    if (type === "IDAT") data.push(chunk);
    at += 12 + length;
  }
  const samples = header && samplesOf[header.getUint8(9)];
  if (!header || !samples || header.getUint8(8) !== 8 || header.getUint8(12) !== 0) {
    throw new RecordingError(
      65,
      `${name}: expected a PNG of 8 bits a sample, grey or RGB, not interlaced, got another`,
    );
  }
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  let packed: Uint8Array;
  try {
    packed = inflateSync(Buffer.concat(data));
  } catch (cause) {
    throw new RecordingError(65, `${name}: expected a whole PNG, got data that do not unpack`, { cause });
  }
  if (packed.length < height * (1 + width * samples)) {
    throw new RecordingError(65, `${name}: expected ${height} rows of ${width} pixels, got ${packed.length} bytes`);
  }
  return { pixels: greyOf(unfilter(packed, height, width * samples, samples), samples), count: 1, height, width };
};

/** Undo the filters of the rows [PNG, 9.2]. */
const unfilter = (packed: Uint8Array, height: number, rowBytes: number, step: number): Uint8Array => {
  const out = new Uint8Array(height * rowBytes);
  for (let row = 0; row < height; row++) {
    const filter = packed[row * (rowBytes + 1)]!;
    for (let i = 0; i < rowBytes; i++) {
      const at = row * rowBytes + i;
      const left = i >= step ? out[at - step]! : 0;
      const up = row > 0 ? out[at - rowBytes]! : 0;
      const corner = row > 0 && i >= step ? out[at - rowBytes - step]! : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      out[at] = packed[row * (rowBytes + 1) + 1 + i]! + guess;
    }
  }
  return out;
};

const paeth = (left: number, up: number, corner: number): number => {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
};

const greyOf = (bytes: Uint8Array, samples: number): Uint8Array => {
  if (samples === 1) return bytes;
  const at = (pixel: number, sample: number): number => bytes[pixel * samples + sample]!;
  return Uint8Array.from({ length: bytes.length / samples }, (_, p) =>
    samples === 2 ? at(p, 0) : Math.round(0.299 * at(p, 0) + 0.587 * at(p, 1) + 0.114 * at(p, 2)),
  );
};
