import { type Annotation, type Recording, RecordingError, type RecordingOptions, recordingOf } from "./recording.ts";
import { decodeAnnotations } from "./wfdb-annotations.ts";

/** One line of a header: where a signal lies and how its codes become physical units. */
export interface WfdbSignal {
  readonly file: string;
  readonly format: 16 | 212;
  /** Bytes before the first sample. */
  readonly offsetBytes: number;
  /** Codes a physical unit. */
  readonly gain: number;
  /** Code of zero. */
  readonly baseline: number;
  readonly unit: string;
  /** Sum of all codes, 16 bit signed; undefined where the header leaves it out. */
  readonly checksum: number | undefined;
  readonly description: string;
}

/** A `.hea` file. */
export interface WfdbHeader {
  readonly record: string;
  readonly sampleRateHz: number;
  /** Samples a signal; undefined where the header leaves it out. */
  readonly samples: number | undefined;
  /** From base date and base time, as UTC; undefined unless both are there. */
  readonly startAtNs: bigint | undefined;
  readonly signals: readonly WfdbSignal[];
}

/**
 * Reads a WFDB header. Left out: records of several segments, several samples a frame, formats other than 16 and 212.
 * @throws RecordingError (65)
 */
export const parseHeader = (text: string, name: string): WfdbHeader => {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [record = "", count = "", rate = "250", samples, time, date] = (lines[0] ?? "").trim().split(/\s+/);
  const bad = (expected: string, got: string) => new RecordingError(65, `${name}: expected ${expected}, got ${got}`);
  if (record.includes("/")) throw bad("a record of one segment", `the record line "${lines[0]}"`);
  const signalCount = Number(count);
  const sampleRateHz = Number.parseFloat(rate);
  if (!Number.isInteger(signalCount) || signalCount < 1)
    throw bad("a record line such as `100 2 360 650000`", `"${lines[0] ?? ""}"`);
  if (!(sampleRateHz > 0)) throw bad("a positive sample rate in Hz", `"${rate}"`);
  if (lines.length < 1 + signalCount) throw bad(`${signalCount} signal lines`, String(lines.length - 1));
  const signals = lines.slice(1, 1 + signalCount).map((line): WfdbSignal => {
    const [file = "", format = "", gain = "200", , zero = "0", , checksum, , ...description] = line.trim().split(/\s+/);
    const storage = /^(\d+)(?:x(\d+))?(?::\d+)?(?:\+(\d+))?$/.exec(format);
    const code = Number(storage?.[1]);
    if (storage === null || (code !== 16 && code !== 212)) throw bad("a signal of format 16 or 212", `"${format}"`);
    if (Number(storage[2] ?? 1) !== 1) throw bad("one sample a frame", `"${format}"`);
    const scale = /^([-+.\deE]+)(?:\((-?\d+)\))?(?:\/(\S+))?$/.exec(gain);
    if (scale === null) throw bad("a gain such as `200(0)/mV`", `"${gain}"`);
    return {
      file,
      format: code,
      offsetBytes: Number(storage[3] ?? 0),
      // [header(5)] A gain of 0 means uncalibrated: 200 codes a millivolt are taken.
      gain: Number(scale[1]) || 200,
      baseline: Number(scale[2] ?? zero),
      unit: scale[3] ?? "mV",
      checksum: checksum === undefined ? undefined : Number(checksum),
      description: description.join(" "),
    };
  });
  return {
    record,
    sampleRateHz,
    samples: Number(samples) > 0 ? Number(samples) : undefined,
    startAtNs: startOf(time, date),
    signals,
  };
};

/** Codes of `count` interleaved signals: 12-bit pairs in three bytes (212) or 16-bit words (16); what a sensor did not give is NaN. */
export const decodeSignals = (bytes: Uint8Array, format: 16 | 212): Float32Array => {
  if (format === 16) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => known(view.getInt16(2 * i, true), -32768));
  }
  const codes = new Float32Array(Math.floor((bytes.length * 2) / 3));
  for (let i = 0, at = 0; i < codes.length; at += 3) {
    const middle = bytes[at + 1]!;
    codes[i++] = known(((bytes[at]! | ((middle & 0x0f) << 8)) << 20) >> 20, -2048);
    if (i < codes.length) codes[i++] = known(((bytes[at + 2]! | ((middle & 0xf0) << 4)) << 20) >> 20, -2048);
  }
  return codes;
};

/** Bytes of interleaved codes in format 16 or 212 (−2048 … 2047). */
export const encodeSignals = (codes: ArrayLike<number>, format: 16 | 212): Uint8Array => {
  if (format === 16) return new Uint8Array(Int16Array.from(codes).buffer);
  const bytes = new Uint8Array(Math.ceil((codes.length * 3) / 2));
  for (let i = 0, at = 0; i < codes.length; i += 2, at += 3) {
    const first = codes[i]!;
    const second = codes[i + 1] ?? 0;
    bytes[at] = first & 0xff;
    bytes[at + 1] = ((first >> 8) & 0x0f) | ((second >> 4) & 0xf0);
    if (at + 2 < bytes.length) bytes[at + 2] = second & 0xff;
  }
  return bytes;
};

/** Files of one record, as bytes, by name: how the reader sees a folder. */
export type ReadBeside = (file: string) => Promise<Uint8Array>;

/**
 * Reads a record: all signals in physical units (mV mostly), channels named as in the header; base time of the header,
 * else `startAtNs`. Annotations if given.
 * @throws RecordingError (65) where the files contradict the header.
 */
export const readWfdb = async (
  header: WfdbHeader,
  {
    readBeside,
    annotations,
    stream,
    startAtNs,
  }: RecordingOptions & { readBeside: ReadBeside; annotations?: Uint8Array },
): Promise<Recording> => {
  const { signals, sampleRateHz } = header;
  const channels = signals.map(({ description }, i) => description || `signal${i}`);
  let samples: Float32Array | undefined;
  let length = 0;
  for (const file of new Set(signals.map((signal) => signal.file))) {
    const inFile = signals.flatMap((signal, column) => (signal.file === file ? [column] : []));
    const first = signals[inFile[0]!]!;
    const codes = decodeSignals((await readBeside(file)).subarray(first.offsetBytes), first.format);
    const rows = Math.floor(codes.length / inFile.length);
    const expected = header.samples ?? rows;
    if (rows < expected) {
      throw new RecordingError(65, `${file}: expected ${expected} samples a signal as in the header, got ${rows}`);
    }
    if (samples !== undefined && expected !== length) {
      throw new RecordingError(
        65,
        `${file}: expected ${length} samples a signal as in the other files, got ${expected}`,
      );
    }
    length = expected;
    samples ??= new Float32Array(length * signals.length);
    for (const [k, column] of inFile.entries()) {
      const { gain, baseline } = signals[column]!;
      for (let t = 0; t < length; t++) {
        samples[t * signals.length + column] = (codes[t * inFile.length + k]! - baseline) / gain;
      }
    }
  }
  const from = header.startAtNs ?? startAtNs ?? 0n;
  const marks: Annotation[] | undefined =
    annotations && decodeAnnotations(annotations, { startAtNs: from, sampleRateHz, name: `${header.record}.atr` });
  return recordingOf({
    stream: stream ?? header.record,
    channels,
    units: signals.map(({ unit }) => unit),
    sampleRateHz,
    segments: [{ startAtNs: from, samples: samples ?? new Float32Array() }],
    ...(marks && { annotations: marks }),
  });
};

const known = (code: number, missing: number): number => (code === missing ? Number.NaN : code);

const startOf = (time: string | undefined, date: string | undefined): bigint | undefined => {
  const clock = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?$/.exec(time ?? "");
  const day = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(date ?? "");
  if (clock === null || day === null) return undefined;
  const ms = Date.UTC(
    Number(day[3]),
    Number(day[2]) - 1,
    Number(day[1]),
    Number(clock[1]),
    Number(clock[2]),
    Number(clock[3]),
  );
  return BigInt(ms) * 1_000_000n + BigInt((clock[4] ?? "").padEnd(9, "0"));
};
