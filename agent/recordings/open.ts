import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { readCsv } from "./csv.ts";
import { type Recording, RecordingError, type RecordingOptions, recordingOf } from "./recording.ts";
import { decodeWav } from "./wav.ts";
import { parseHeader, readWfdb } from "./wfdb.ts";

/** Settings of `openRecording` beside those of all readers. */
export interface OpenOptions extends RecordingOptions {
  /** Physical units a full scale of a WAV (±1), e.g. g; 1 unless given. */
  readonly fullScale?: number;
  /** Rate of a table without a time column, Hz. */
  readonly sampleRateHz?: number;
  /** Gives a file's content; by default from the disk. */
  readonly read?: (path: string) => Promise<Uint8Array>;
}

/**
 * Opens a file that a user has: WAV, WFDB (`.hea`, `.dat`, `.atr` or the bare record name) or CSV (`.csv .tsv .txt`),
 * by content first, then by ending. Reads it whole.
 * @throws RecordingError 66 where there is no such file, 65 where it cannot be understood.
 */
export const openRecording = async (path: string, options: OpenOptions = {}): Promise<Recording> => {
  const readOr = readingBy(options.read ?? readFile);
  const ending = extname(path).toLowerCase();
  if ([".hea", ".dat", ".atr"].includes(ending)) return openWfdb(path.slice(0, -ending.length), options);
  const bytes = await readOr(path, async (error) => {
    if (ending !== "") throw error;
    return undefined;
  });
  if (bytes === undefined) return openWfdb(path, options);
  const name = basename(path);
  if (ending === ".wav" || new TextDecoder("latin1").decode(bytes.subarray(0, 4)) === "RIFF") {
    const result = decodeWav(bytes, { lenient: true });
    if (!result.ok) throw new RecordingError(65, `${name}: ${result.problem}`);
    const { samples, channels, sampleRateHz } = result.wav;
    const fullScale = options.fullScale ?? 1;
    return recordingOf({
      stream: options.stream ?? basename(path, extname(path)),
      channels: channels === 1 ? ["signal"] : Array.from({ length: channels }, (_, i) => `signal${i}`),
      units: Array.from({ length: channels }, () => ""),
      sampleRateHz,
      segments: [
        { startAtNs: options.startAtNs ?? 0n, samples: fullScale === 1 ? samples : samples.map((x) => x * fullScale) },
      ],
    });
  }
  if ([".csv", ".tsv", ".txt"].includes(ending)) {
    return readCsv(new TextDecoder().decode(bytes), { ...options, name });
  }
  throw new RecordingError(65, `${name}: expected a recording as .wav, .hea, .csv, .tsv or .txt, got "${ending}"`);
};

const openWfdb = async (record: string, options: OpenOptions): Promise<Recording> => {
  const readOr = readingBy(options.read ?? readFile);
  const header = parseHeader(
    new TextDecoder("latin1").decode(await readOr(`${record}.hea`)),
    `${basename(record)}.hea`,
  );
  const annotations = await readOr(`${record}.atr`, async () => undefined);
  return readWfdb(header, {
    ...options,
    // A header names files of its own folder; a path in it would lead elsewhere.
    readBeside: (file) => readOr(join(dirname(record), basename(file))),
    ...(annotations && { annotations }),
  });
};

interface ReadOr {
  (path: string): Promise<Uint8Array>;
  <T>(path: string, otherwise: (error: RecordingError) => Promise<T>): Promise<Uint8Array | T>;
}

const readingBy =
  (read: (path: string) => Promise<Uint8Array>): ReadOr =>
  async <T>(path: string, otherwise?: (error: RecordingError) => Promise<T>): Promise<Uint8Array | T> => {
    try {
      return await read(path);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "an unknown error";
      const error = new RecordingError(66, `${path}: expected a file that can be read, got ${code}`, { cause });
      if (otherwise === undefined || code !== "ENOENT") throw error;
      return otherwise(error);
    }
  };
