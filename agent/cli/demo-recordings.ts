import { readdirSync } from "node:fs";
import { join, sep } from "node:path";
import type { StreamModality } from "../../models/manifest.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { programBytes, programNames } from "../program-files.ts";
import { openRecording } from "../recordings/open.ts";
import type { Recording } from "../recordings/recording.ts";
import { sentenceOf } from "../stream-runner.ts";

/** Recordings to play, by modality. */
export type DemoRecordings = Readonly<Record<StreamModality, readonly Recording[]>>;

/** Folders deep, files looked at, and recordings kept of one modality: a big folder must not hold up the start. */
const bounds = { depth: 6, files: 20_000, kept: { audio: 60, ecg: 3, vibration: 8, sensor: 3 } } as const;

/**
 * The recordings below a folder that the models can take: WFDB → ecg, CSV with the sensors' columns → sensor,
 * WAV → vibration where a folder says so or its rate is an accelerometer's, else audio. Of many, some evenly spread.
 *
 * @param sensorChannels columns that a table must have
 * @param onSkip told of each file that could not be used
 */
export const findRecordings = async (
  folder: string,
  sensorChannels: readonly string[],
  onSkip: (sentence: string) => void,
): Promise<DemoRecordings> => {
  const files = filesBelow(folder);
  const wav = files.filter((file) => /\.wav$/i.test(file));
  const saysVibration = (file: string): boolean => /vibration|bearing|cwru|accel/i.test(file.slice(folder.length));
  const saysNoise = (file: string): boolean => /background_noise/i.test(file);
  const isTable = ({ channels }: Recording): boolean => sensorChannels.every((name) => channels.includes(name));
  const open = (paths: readonly string[], kept: number, fits: (recording: Recording) => boolean) =>
    openSome(paths, kept, fits, onSkip);
  const sounds = wav.filter((file) => !saysVibration(file) && !saysNoise(file));
  return {
    audio: await open(sounds, bounds.kept.audio, ({ sampleRateHz }) => sampleRateHz !== accelerometerHz),
    ecg: await open(
      files.filter((file) => file.endsWith(".hea")),
      bounds.kept.ecg,
      () => true,
    ),
    vibration: wav.some(saysVibration)
      ? await open(wav.filter(saysVibration), bounds.kept.vibration, () => true)
      : await open(sounds, bounds.kept.vibration, ({ sampleRateHz }) => sampleRateHz === accelerometerHz),
    sensor: await open(
      files.filter((file) => /\.csv$/i.test(file)),
      bounds.kept.sensor,
      isTable,
    ),
  };
};

/** A usual rate of accelerometers, and of hardly any sound. */
const accelerometerHz = 12_000;

const filesBelow = (folder: string): string[] => {
  const files: string[] = [];
  const visit = (path: string, depth: number): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.length >= bounds.files) return;
      const inner = join(path, entry.name);
      if (entry.isDirectory() && depth < bounds.depth) visit(inner, depth + 1);
      else if (entry.isFile()) files.push(inner);
    }
  };
  visit(folder.endsWith(sep) ? folder.slice(0, -1) : folder, 0);
  return files;
};

const openSome = async (
  files: readonly string[],
  kept: number,
  fits: (recording: Recording) => boolean,
  onSkip: (sentence: string) => void,
): Promise<readonly Recording[]> => {
  const recordings: Recording[] = [];
  for (const file of spread(files, kept * 4)) {
    if (recordings.length >= kept) break;
    try {
      const recording = await openRecording(file);
      if (fits(recording)) recordings.push(recording);
    } catch (error) {
      onSkip(sentenceOf(error));
    }
  }
  return recordings;
};

/** So many of the items, evenly spread, in an order that soon has been everywhere: steps of the golden section. */
const spread = (items: readonly string[], count: number): readonly string[] => {
  const chosen = Array.from({ length: Math.min(count, items.length) }, (_, i) => i);
  const place = (i: number): number => (i * 0.6180339887) % 1;
  return chosen.sort((a, b) => place(a) - place(b)).map((i) => items[Math.floor((i * items.length) / chosen.length)]!);
};

/** The recordings that come with the program. */
export const fixtureRecordings = async (): Promise<DemoRecordings> => {
  const read = async (path: string): Promise<Uint8Array> => programBytes(path);
  const open = async (modality: string, pattern: RegExp): Promise<readonly Recording[]> => {
    const files = programNames(`fixtures/${modality}`).filter((file) => pattern.test(file));
    return Promise.all(files.map((file) => openRecording(`fixtures/${modality}/${file}`, { read })));
  };
  return {
    audio: await open("audio", /^scene.*\.wav$/),
    ecg: await open("ecg", /\.hea$/),
    vibration: await open("vibration", /\.wav$/),
    sensor: await open("sensor", /\.csv$/),
  };
};

/**
 * Blocks of several recordings as one stream: each begins a pause after the one before. Times begin at 0.
 * @param pauseSeconds 0 joins them without a gap
 */
export function* joined(
  recordings: readonly Recording[],
  blockSeconds: number,
  pauseSeconds: number,
): Generator<SampleBlock> {
  let startAtNs = 0n;
  for (const recording of recordings) {
    let shiftNs: bigint | undefined;
    let endAtNs = startAtNs;
    for (const block of recording.blocks(blockSeconds)) {
      shiftNs ??= startAtNs - block.startAtNs;
      const length = block.samples.length / block.channels.length / block.sampleRateHz;
      endAtNs = block.startAtNs + shiftNs + BigInt(Math.round(length * 1e9));
      yield { ...block, startAtNs: block.startAtNs + shiftNs };
    }
    startAtNs = endAtNs + BigInt(Math.round(pauseSeconds * 1e9));
  }
}
