import { type Annotation, RecordingError, sampleTimeNs } from "./recording.ts";

/** Symbols of the WFDB annotation codes 0 … 41 [WFDB Applications Guide, ecgcodes.h]; a space where none is defined. */
const symbols = ' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r';

const skip = 59;
const number = 60;
const subtype = 61;
const channel = 62;
const auxiliary = 63;

/**
 * Reads an MIT-format annotation file (`.atr`).
 * @throws RecordingError (65) where it ends in the middle of an annotation.
 */
export const decodeAnnotations = (
  bytes: Uint8Array,
  {
    startAtNs,
    sampleRateHz,
    name,
  }: { readonly startAtNs: bigint; readonly sampleRateHz: number; readonly name: string },
): Annotation[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const annotations: { sample: number; atNs: bigint; symbol: string; aux: string }[] = [];
  let sample = 0;
  let at = 0;
  const need = (count: number) => {
    if (at + count > bytes.length) {
      throw new RecordingError(
        65,
        `${name}: expected annotations up to their end mark, got ${bytes.length} bytes that break off`,
      );
    }
  };
  for (;;) {
    if (at === bytes.length && at > 0) return annotations;
    need(2);
    const word = view.getUint16(at, true);
    at += 2;
    const code = word >> 10;
    const value = word & 0x3ff;
    if (word === 0) return annotations;
    if (code === skip) {
      need(4);
      // A long of the PDP-11: high word first, each word little-endian.
      sample += view.getInt16(at, true) * 65536 + view.getUint16(at + 2, true);
      at += 4;
    } else if (code === auxiliary) {
      need(value);
      const text = new TextDecoder("latin1").decode(bytes.subarray(at, at + value)).replaceAll("\0", "");
      const last = annotations.at(-1);
      if (last !== undefined) last.aux = text;
      at += value + (value % 2);
    } else if (code !== number && code !== subtype && code !== channel) {
      sample += value;
      annotations.push({
        sample,
        atNs: sampleTimeNs(startAtNs, sample, sampleRateHz),
        symbol: symbols[code] ?? "?",
        aux: "",
      });
    }
  }
};

/** Writes an MIT-format annotation file; annotations in order of time. */
export const encodeAnnotations = (
  annotations: readonly Pick<Annotation, "sample" | "symbol" | "aux">[],
): Uint8Array => {
  const words: number[] = [];
  let before = 0;
  for (const { sample, symbol, aux } of annotations) {
    const code = symbols.indexOf(symbol, 1);
    if (code < 1 || symbol.length !== 1)
      throw new RangeError(`symbol: expected a WFDB symbol such as N or V, got ${symbol}`);
    let delta = sample - before;
    if (delta < 0) throw new RangeError(`annotations: expected them in order of time, got ${sample} after ${before}`);
    if (delta > 1023) {
      words.push(skip << 10, delta >>> 16, delta & 0xffff);
      delta = 0;
    }
    words.push((code << 10) | delta);
    if (aux.length > 0) {
      words.push((auxiliary << 10) | aux.length);
      for (let i = 0; i < aux.length; i += 2) words.push(aux.charCodeAt(i) | ((aux.charCodeAt(i + 1) || 0) << 8));
    }
    before = sample;
  }
  words.push(0);
  return new Uint8Array(Uint16Array.from(words).buffer);
};
