import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import type { Manifest } from "../../models/manifest.ts";
import { startAgent } from "../compose.ts";
import { configSchema } from "../config/schema.ts";
import { openModel } from "../models.ts";
import { within } from "../mqtt/connection.ts";
import { connectPublisher } from "../mqtt/publisher-client.ts";
import { play } from "../player.ts";
import { sentenceOf } from "../stream-runner.ts";
import { createLog } from "../telemetry/log.ts";
import { LiveView } from "../terminal/live-view.ts";
import { summarise, summaryTable } from "../terminal/summary.ts";
import { type DemoStream, demoConfig, demoModels, demoStreams, scoreOf } from "./demo-plan.ts";
import { findRecordings, fixtureRecordings } from "./demo-recordings.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, numberIn } from "./options.ts";
import { colour, requireStream } from "./run.ts";
import { untilStopped } from "./stop-signals.ts";

interface DemoOptions {
  readonly seconds?: number;
  readonly data?: string;
  readonly state?: string;
  readonly speed: number;
  readonly port: number;
  readonly device: string;
  readonly clockRate: number;
  readonly json?: boolean;
}

const defaultDevice = configSchema.shape.chip.parse({}).device;

/** `demo`: every modality, live, with nothing else needed. */
export const demoCommand = (): Command =>
  new Command("demo")
    .description("play recordings through MQTT, the crossbar and the database, and draw what happens")
    .option("--seconds <n>", "stop after so long; without it Ctrl-C stops", numberIn(1, 1e7))
    .option("--data <dir>", "play the WFDB, WAV and CSV recordings found there instead of ours")
    .option("--state <dir>", "folder of the database; without it a new temporary one")
    .option("--speed <n>", "factor on the speed of all streams", numberIn(0.01, 1000), 1)
    .option("--port <n>", "port of the embedded broker; 0 takes any free one", integerIn(0, 65535), 0)
    .option("--device <name>", "device model of the crossbar", defaultDevice)
    .option("--clock-rate <n>", "the chip lives so many seconds in one: 86400 is a day", numberIn(0, 1e9), 1)
    .option("--json", "one JSON object as the last line of standard output")
    .addHelpText(
      "after",
      "\nExamples:\n  ohmwatch demo\n  ohmwatch demo --seconds 30 --json\n  ohmwatch demo --data ~/recordings",
    )
    .action(demo);

const demo = async (options: DemoOptions): Promise<void> => {
  const screen = options.json ? process.stderr : process.stdout;
  const keywords = manifestOf(demoModels.audio);
  const recordings =
    options.data === undefined
      ? await fixtureRecordings()
      : await findRecordings(options.data, manifestOf(demoModels.sensor)?.input.channels ?? [], (sentence) =>
          process.stderr.write(`left out: ${sentence}\n`),
        );
  const streams = await demoStreams(recordings, options.speed, keywords);
  if (streams.length === 0) {
    throw new ExitError(
      `--data: expected recordings (WFDB, WAV, CSV), got none in ${options.data ?? "our own fixtures"}`,
      exitCodes.noInput,
    );
  }
  const directory = options.state ?? mkdtempSync(join(tmpdir(), "ohmwatch-demo-"));
  const config = demoConfig(streams, {
    directory,
    port: options.port,
    device: options.device,
    clockRate: options.clockRate,
  });
  let view: LiveView | undefined;
  const log = createLog(config.log.level, {
    write: (line) => (view === undefined ? process.stderr.write(line) : view.write(line)),
  });
  const agent = await startAgent(config, { log, onChange: (change) => view?.change(change) });
  await requireStream(agent);
  const title = `Ohmwatch · ${streams.length} streams · ${agent.brokerUrl} · ${options.device} · Ctrl-C ends`;
  view = new LiveView({
    title,
    ...noteOf(streams),
    streams: () => agent.streams,
    screen,
    colour: colour(),
    nowMs: () => performance.now(),
  });
  view.start();
  const startedAtMs = performance.now();
  const stopping = new AbortController();
  const startAtNs = BigInt(Date.now()) * 1_000_000n;
  const sensors = await Promise.all(streams.map(({ name }) => connectPublisher(agent.brokerUrl, `demo-${name}`, 1)));
  const playing = streams.map((stream, i) =>
    play(scoreOf(stream, config.mqtt.base, startAtNs), sensors[i]!.publish, stopping.signal),
  );
  await untilStopped(options.seconds);
  const wallSeconds = (performance.now() - startedAtMs) / 1000;
  stopping.abort();
  // Not the other way round: what a closed client still had to publish would never be done.
  await within(2000, Promise.allSettled(playing));
  await Promise.all(sensors.map((sensor) => sensor.close()));
  await agent.idle();
  view.stop();
  view = undefined;
  await agent.stop();
  const summary = summarise(agent.streams, wallSeconds);
  screen.write(
    `\n${summaryTable(agent.streams, summary)}
The anomalies are in ${agent.databaseFile}. To look at them:
  ${callOfUs()} anomalies list --database ${agent.databaseFile}\n`,
  );
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
};

/** What a user types to call this program. */
const callOfUs = (): string => (process.argv[1]?.endsWith("main.ts") ? "npm run --silent ohmwatch --" : "ohmwatch");

/** Event time that runs ahead of the clock would puzzle who does not know why. */
const noteOf = (streams: readonly DemoStream[]): { readonly note?: string } => {
  const fast = streams.filter(({ speed }) => speed !== 1).map(({ name, speed }) => `${name} ${speed} ×`);
  return fast.length === 0 ? {} : { note: `played faster than life, so their times run ahead: ${fast.join(", ")}` };
};

const manifestOf = (name: string): Manifest | undefined => {
  try {
    return openModel(name, { ...configSchema.shape.chip.parse({}), device: "digital" }).manifest;
  } catch (error) {
    process.stderr.write(`${name}: ${sentenceOf(error)}\n`);
    return undefined;
  }
};
