import { Command } from "commander";
import { codecByName } from "../codecs/codec.ts";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/mistakes.ts";
import type { Config, StreamConfig } from "../config/schema.ts";
import { type AskedAgent, askAgent } from "../http/client.ts";
import { knownNames } from "../known-names.ts";
import { topicOf } from "../mqtt/subscribe.ts";
import { visit } from "../mqtt/visitor.ts";
import { decodedRecords, type TapRecord } from "../tap.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, numberIn } from "./options.ts";

interface TapOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly seconds?: number;
  readonly count?: number;
}

/** `tap`: what flows in a stream now. */
export const tapCommand = (): Command =>
  new Command("tap")
    .description("show what flows in a stream now: blocks, payloads refused, classifications, anomalies")
    .argument("<stream>", "name of the stream")
    .requiredOption("--config <file>", "the configuration that the agent runs with")
    .option("--seconds <n>", "end after so long", numberIn(0, 1e9))
    .option("--count <n>", "end after so many lines", integerIn(1, 1e9))
    .option("--json", "one JSON object a line")
    .addHelpText(
      "after",
      `
Example:
  ohmwatch tap bed-7-ecg --config /etc/ohmwatch/ohmwatch.yaml

Asks the agent at http.listen, which knows its classifications. Where it does not answer, or there is no http.listen, it
listens to the broker as a second client and decodes what comes: that shows a sender's payloads without any agent.`,
    )
    .action(async (name: string, options: TapOptions) => {
      const config = loadConfig(options.config, knownNames());
      const stream = streamOf(config, name);
      const ending = new AbortController();
      let left = options.count ?? Number.POSITIVE_INFINITY;
      const show = (record: TapRecord): void => {
        if (left-- <= 0) return;
        process.stdout.write(options.json ? `${JSON.stringify(record)}\n` : `${lineOf(record)}\n`);
        if (left <= 0) ending.abort();
      };
      const timer = options.seconds && setTimeout(() => ending.abort(), options.seconds * 1000);
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());
      const agent = config.http && (await askAgent(config.http));
      if (agent === undefined) await throughBroker(config, stream, show, ending.signal);
      else await throughAgent(agent, name, show, ending.signal);
      clearTimeout(timer);
    });

const streamOf = (config: Config, name: string): StreamConfig => {
  const found = config.streams.find((stream) => stream.name === name);
  if (found !== undefined) return found;
  const names = config.streams.map((stream) => stream.name);
  const near = nearest(name, names);
  throw new ExitError(
    `stream: expected one of ${names.join(", ")}, got ${name}${near === undefined ? "" : `, did you mean ${near}?`}`,
    exitCodes.usage,
  );
};

const throughAgent = async (
  agent: AskedAgent,
  stream: string,
  show: (record: TapRecord) => void,
  signal: AbortSignal,
): Promise<void> => {
  try {
    const lines = await agent.lines(`/tap/${encodeURIComponent(stream)}`, signal);
    process.stderr.write(`${stream}, as the agent at ${agent.url} sees it; Ctrl-C ends\n`);
    for await (const line of lines) show(JSON.parse(line) as TapRecord);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

const throughBroker = async (
  config: Config,
  stream: StreamConfig,
  show: (record: TapRecord) => void,
  signal: AbortSignal,
): Promise<void> => {
  const { base } = config.mqtt;
  const codec = codecByName(stream.codec)!;
  const topic = topicOf(stream, base);
  const visitor = await visit(config.mqtt, "tap");
  await visitor.listen([topic], ({ payload, receivedAtNs, topic: from }) => {
    const context = { stream: stream.name, receivedAtNs, topic: from, settings: stream.settings };
    for (const record of decodedRecords(codec.decode(payload, context))) show(record);
  });
  process.stderr.write(`${stream.name}, as it comes in on ${topic}; Ctrl-C ends\n`);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await visitor.close();
};

/** One record as a line that a person reads. */
export const lineOf = (record: TapRecord): string => {
  switch (record.kind) {
    case "block": {
      const { from, seconds, sampleRateHz, channels, min, max, rms, notFinite } = record;
      const broken = notFinite === 0 ? "" : `, ${notFinite} not finite`;
      return `${from}  block     ${number(seconds)} s at ${number(sampleRateHz)} Hz of ${channels.join(", ")}: ${number(min)} … ${number(max)}, rms ${number(rms)}${broken}`;
    }
    case "rejected":
      return `${" ".repeat(24)}  refused   ${record.reason}: ${record.detail}`;
    case "classification":
      return `${record.to}  frame     ${record.label} ${record.probability.toFixed(2)}, margin ${record.margin.toFixed(2)}`;
    case "anomaly":
      return `${record.type === "end" ? record.to : record.from}  ${record.type.padEnd(8)}  ${record.severity} ${record.label} ${record.id}`;
  }
};

const number = (x: number): string => String(Number(x.toPrecision(4)));
