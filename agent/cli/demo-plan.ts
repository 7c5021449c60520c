import { from, lastValueFrom, toArray } from "rxjs";
import type { Manifest, StreamModality } from "../../models/manifest.ts";
import { featureSettings } from "../../pipelines/features.ts";
import { mfcc } from "../../pipelines/operators/mfcc.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { codecByName, type EncodeOptions } from "../codecs/codec.ts";
import { type Config, configSchema } from "../config/schema.ts";
import type { Score } from "../player.ts";
import { type DemoRecordings, joined } from "./demo-recordings.ts";

/** The models of the demo, by modality. */
export const demoModels: Readonly<Record<StreamModality, string>> = {
  audio: "keywords-12",
  ecg: "ecg-beats",
  vibration: "bearing-faults",
  sensor: "pump-anomaly",
};

/** One stream of the demo: how the agent takes it, and how it is played. */
export interface DemoStream {
  readonly name: string;
  readonly modality: StreamModality;
  readonly codec: string;
  readonly encoding: EncodeOptions;
  /** Event seconds in a second of wall clock. */
  readonly speed: number;
  readonly blocks: () => Iterable<SampleBlock>;
}

/**
 * The streams of the demo: sound as Hermes WAV chunks and as MFCCs computed at the sensor, ECG and vibration as
 * protobuf, the pump as JSON, sixty times faster since it gives one row a second.
 *
 * @param speed factor on all of it
 * @param keywords manifest of the keyword model, which says what MFCCs the sensor computes; undefined: no such stream
 */
export const demoStreams = async (
  recordings: DemoRecordings,
  speed: number,
  keywords: Manifest | undefined,
): Promise<readonly DemoStream[]> => {
  const { audio, ecg, vibration, sensor } = recordings;
  const rows = keywords === undefined || audio.length === 0 ? [] : await mfccBlocks(audio, keywords);
  const all: readonly (DemoStream & { readonly isThere: boolean })[] = [
    {
      name: "voice",
      modality: "audio",
      codec: "wav",
      encoding: { format: "s16le" },
      speed,
      blocks: () => joined(audio, 0.064, 0),
      isThere: audio.length > 0,
    },
    {
      name: "voice-mfcc",
      modality: "audio",
      codec: "mfcc",
      encoding: { format: "f32le", unit: "1" },
      speed,
      blocks: () => rows,
      isThere: rows.length > 0,
    },
    {
      name: "ecg",
      modality: "ecg",
      codec: "protobuf",
      encoding: { format: "f32le", unit: "mV" },
      speed: 2 * speed,
      blocks: () => joined(ecg, 0.25, 5),
      isThere: ecg.length > 0,
    },
    {
      name: "bearing",
      modality: "vibration",
      codec: "protobuf",
      encoding: { format: "f32le", unit: "g" },
      speed,
      blocks: () => joined(vibration, 0.1, 1),
      isThere: vibration.length > 0,
    },
    {
      name: "pump",
      modality: "sensor",
      codec: "json",
      encoding: {},
      speed: 60 * speed,
      blocks: () => joined(sensor, 5, 600),
      isThere: sensor.length > 0,
    },
  ];
  return all.filter(({ isThere }) => isThere);
};

const mfccBlocks = async (audio: DemoRecordings["audio"], { input }: Manifest): Promise<readonly SampleBlock[]> => {
  const operator = mfcc(featureSettings(input, "mfcc"), input.sampleRateHz);
  return lastValueFrom(from(joined(audio, 0.1, 0)).pipe(operator, toArray()));
};

/** The spall of our fixture is synthetic: a model of real bearings gives it 0.5 to 0.65, more than anything else. */
const unsureOfFixture = { label: "inner-race", enter: 0.5, leave: 0.3 };

/** The agent's configuration for these streams. @param port of the embedded broker, 0 for any free one */
export const demoConfig = (
  streams: readonly DemoStream[],
  options: {
    readonly directory: string;
    readonly port: number;
    readonly device: string;
    readonly clockRate: number;
  },
): Config =>
  configSchema.parse({
    mqtt: { embeddedPort: options.port },
    state: { directory: options.directory },
    log: { level: "warn" },
    chip: { device: options.device, clockRate: options.clockRate },
    streams: streams.map(({ name, modality, codec }) => ({
      name,
      codec,
      pipeline: modality,
      model: demoModels[modality],
      // A replay may be played faster than this machine can follow: then the newest sound counts.
      queue: { maxMessages: 512, policy: "drop-oldest" },
      decisions: modality === "vibration" ? [unsureOfFixture] : [],
    })),
  });

/** How a stream is played to the broker, again and again. */
export const scoreOf = (stream: DemoStream, base: string, startAtNs: bigint): Score => ({
  topic: `${base}/in/${stream.name}`,
  codec: codecByName(stream.codec)!,
  encoding: { ...stream.encoding, session: "demo" },
  speed: stream.speed,
  blocks: stream.blocks,
  repeats: true,
  startAtNs,
});
