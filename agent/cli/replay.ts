import { Command } from "commander";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { codecByName, encoderNames } from "../codecs/codec.ts";
import { databaseFileOf } from "../compose.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { knownNames } from "../known-names.ts";
import { openModel } from "../models.ts";
import { connectPublisher } from "../mqtt/publisher-client.ts";
import { offlineBlockSeconds, runOffline } from "../offline.ts";
import { play } from "../player.ts";
import { openRecording } from "../recordings/open.ts";
import type { Recording } from "../recordings/recording.ts";
import { AnomalyStore } from "../store/anomaly-store.ts";
import { closeDatabase, openDatabase } from "../store/database.ts";
import { replayedChip } from "../upkeep/replayed-chip.ts";
import { type ChipOptions, chipOf, withChipOptions } from "./chip-options.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { numberIn } from "./options.ts";
import { untilStopped } from "./stop-signals.ts";

interface ReplayOptions extends ChipOptions {
  readonly url?: string;
  readonly topic?: string;
  readonly codec: string;
  readonly speed: number;
  readonly blockSeconds: number;
  readonly loop?: boolean;
  readonly now?: boolean;
  readonly model?: string;
  readonly database?: string;
  readonly config?: string;
  readonly stream?: string;
  readonly clockRate?: number;
  readonly json?: boolean;
}

/** `replay`: a recording to MQTT, or straight through a pipeline into a database. */
export const replayCommand = (): Command =>
  withChipOptions(new Command("replay"))
    .description("play recordings to an MQTT topic, or, with --model or --config, straight into a database")
    .argument("<file...>", "recordings (WAV, WFDB, CSV), one after the other")
    .option("--url <url>", "broker to play to")
    .option("--topic <topic>", "topic to play to")
    .option("--codec <name>", `payloads: ${encoderNames.join(", ")}`, "protobuf")
    .option("--speed <n>", "event seconds in a second", numberIn(0.001, 1e6), 1)
    .option("--block-seconds <n>", "signal in one message", numberIn(0.001, 3600), 0.1)
    .option("--loop", "begin again at the end")
    .option("--now", "move event time so that the recording begins now")
    .option("--model <name>", "offline: run it through this model")
    .option("--config <file>", "offline: run it as a stream of this configuration (--stream)")
    .option("--clock-rate <n>", "offline: the chip lives so many seconds in one of the recording", numberIn(0, 1e9))
    .option("--stream <name>", "name of the stream")
    .option("--database <file>", "offline: record anomalies here")
    .option("--json", "offline: one JSON object with what was recorded")
    .addHelpText(
      "after",
      `
Examples:
  ohmwatch replay 208.hea --url mqtt://127.0.0.1 --topic ohmwatch/in/bed-7 --speed 4 --now
  ohmwatch replay 208.hea --model ecg-beats --database anomalies.sqlite
  ohmwatch replay pump.csv --config hall.yaml --stream pump
  ohmwatch replay 208.hea --model ecg-beats --database anomalies.sqlite --clock-rate 86400

Offline the same recording gives the same rows, bit for bit.`,
    )
    .action(async (files: string[], options: ReplayOptions) => {
      if (options.model !== undefined || options.config !== undefined) return replayOffline(files, options);
      if (options.url === undefined || options.topic === undefined) {
        throw new ExitError(
          "replay: expected --url and --topic, or --model and --database, or --config, got none",
          exitCodes.usage,
        );
      }
      return replayToBroker(files, options, options.url, options.topic);
    });

const replayToBroker = async (files: readonly string[], options: ReplayOptions, url: string, topic: string) => {
  const codec = codecByName(options.codec);
  if (codec === undefined) {
    throw new ExitError(`--codec: expected one of ${encoderNames.join(", ")}, got ${options.codec}`, exitCodes.usage);
  }
  const recordings: Recording[] = [];
  for (const file of files) recordings.push(await openRecording(file));
  const client = await connectPublisher(url, `ohmwatch-replay-${process.pid}`, 1);
  const stopping = new AbortController();
  void untilStopped().then(() => stopping.abort());
  const sent = await play(
    {
      topic,
      codec,
      encoding: { session: String(process.pid) },
      speed: options.speed,
      *blocks() {
        for (const recording of recordings) yield* recording.blocks(options.blockSeconds);
      },
      repeats: options.loop ?? false,
      startAtNs: options.now ? BigInt(Date.now()) * 1_000_000n : undefined,
    },
    client.publish,
    stopping.signal,
  );
  await client.close();
  process.stderr.write(`${sent} messages were sent to ${topic}\n`);
  // The signal handlers would keep the process.
  process.exit(exitCodes.ok);
};

interface Target {
  readonly model: string;
  readonly chip: Config["chip"];
  readonly database: string;
  readonly stream: string | undefined;
  readonly overrides: Config["streams"][number]["decisions"];
  readonly levels: Config["streams"][number]["levels"];
}

const replayOffline = async (files: readonly string[], options: ReplayOptions): Promise<void> => {
  const { model: name, chip, database: file, stream, overrides, levels } = targetOf(options);
  const database = openDatabase(file);
  try {
    const store = new AnomalyStore(database);
    const counts = { files: files.length, frames: 0, anomalies: 0, changes: 0 };
    for (const path of files) {
      const { model, follow } =
        options.clockRate === undefined
          ? { model: openModel(name, chip), follow: (blocks: Iterable<SampleBlock>) => blocks }
          : replayedChip(
              name,
              { ...chip, clockRate: options.clockRate },
              ({ kind, why }) => process.stderr.write(`${name}: ${kind}. ${why}\n`),
              (event) => "detail" in event && process.stderr.write(`${event.detail}\n`),
            );
      const recording = await openRecording(path, stream === undefined ? {} : { stream });
      runOffline(follow(recording.blocks(offlineBlockSeconds)), model, {
        overrides,
        levels,
        onClassification: () => counts.frames++,
        onChange: (change) => {
          store.record(change);
          counts.changes++;
          if (change.type === "new") counts.anomalies++;
        },
        onDrop: (reason, samples) => process.stderr.write(`${path}: ${samples} samples were left out (${reason})\n`),
      });
    }
    if (options.json) process.stdout.write(`${JSON.stringify({ database: file, ...counts })}\n`);
    else
      process.stderr.write(
        `${counts.frames} frames, ${counts.anomalies} ${counts.anomalies === 1 ? "anomaly" : "anomalies"} in ${file}\n`,
      );
  } finally {
    closeDatabase(database);
  }
};

const targetOf = (options: ReplayOptions): Target => {
  if (options.config === undefined) {
    if (options.database === undefined) {
      throw new ExitError("--database: expected a file for the anomalies, got none", exitCodes.usage);
    }
    return {
      model: options.model!,
      chip: chipOf(options),
      database: options.database,
      stream: options.stream,
      overrides: [],
      levels: [],
    };
  }
  const config = loadConfig(options.config, knownNames());
  const stream =
    options.stream === undefined ? config.streams[0] : config.streams.find(({ name }) => name === options.stream);
  if (stream === undefined) {
    const names = config.streams.map(({ name }) => name).join(", ");
    throw new ExitError(`--stream: expected one of ${names}, got ${options.stream}`, exitCodes.usage);
  }
  return {
    model: stream.model,
    chip: config.chip,
    database: options.database ?? databaseFileOf(config),
    stream: stream.name,
    overrides: stream.decisions,
    levels: stream.levels,
  };
};
