import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { zooNames } from "../../agent/models.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { aamiClassOf } from "../../agent/recordings/aami.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import type { AnomalyRow } from "../../agent/store/anomaly-event.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { dataDir } from "../support/data.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const lacks = (model: string): boolean => dataDir === undefined || !zooNames().includes(model);

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "ohmwatch-e2e-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Send blocks through the broker to an agent on the devices of the default chip, and give what it recorded. */
const recorded = async (
  stream: { readonly pipeline: string; readonly model: string; readonly codec: string },
  blocks: Iterable<SampleBlock>,
): Promise<readonly AnomalyRow[]> => {
  const config = configSchema.parse({
    mqtt: { embeddedPort: 0 },
    state: { directory: join(root, stream.model) },
    streams: [{ name: "s", ...stream }],
  });
  const agent = await startAgent(config, { log: silent });
  await agent.connection.connected;
  const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  const codec = codecByName(stream.codec)!;
  let sent = 0;
  for (const block of blocks) {
    await sensor.publish("ohmwatch/in/s", codec.encode!(block));
    sent++;
  }
  while (agent.streams[0]!.messages < sent) await new Promise((resolve) => setImmediate(resolve));
  await sensor.close();
  await agent.idle();
  expect(agent.telemetry.count("PayloadRejected") + agent.telemetry.count("StreamFailed")).toBe(0);
  const rows = agent.store.list();
  await agent.stop();
  return rows;
};

describe("Recordings that no one here wrote, over MQTT (skipped without the data or the model)", () => {
  it.skipIf(lacks("pump-anomaly"))("SKAB valve1/0: the closed valve raises one alarm, not forty", async () => {
    const recording = await openRecording(join(dataDir!, "skab/valve1/0.csv"));
    const rows = await recorded({ pipeline: "sensor", model: "pump-anomaly", codec: "json" }, recording.blocks(10));
    // The `anomaly` column is 1 from 10:24:33 to 10:31:33.
    const [from, to] = [Date.parse("2020-03-09T10:24:33Z"), Date.parse("2020-03-09T10:31:33Z")].map(
      (ms) => BigInt(ms) * 1_000_000n,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.fromNs).toBeLessThan(to!);
    expect(rows[0]!.toNs).toBeGreaterThan(from!);
  });

  it.skipIf(lacks("ecg-beats"))("MIT-BIH 200: ventricular beats become anomalies at their times", async () => {
    const recording = await openRecording(join(dataDir!, "mitdb/200.hea"));
    const minutes = 10;
    const blocks = [...recording.blocks(1)];
    const rows = await recorded(
      { pipeline: "ecg", model: "ecg-beats", codec: "protobuf" },
      blocks.slice(0, minutes * 60),
    );
    const startAtNs = recording.segments[0]!.startAtNs;
    const endAtNs = startAtNs + BigInt(minutes * 60) * 1_000_000_000n;
    const beats = recording.annotations!.filter(({ symbol, atNs }) => aamiClassOf(symbol) === "V" && atNs < endAtNs);
    const alarms = rows.filter(({ kind }) => kind === "V");
    // One alarm may hold a run of beats: from the window of its first to the window of its last.
    const marginNs = 150_000_000n;
    const holds = ({ fromNs, toNs }: AnomalyRow, atNs: bigint) => atNs >= fromNs - marginNs && atNs <= toNs + marginNs;
    const found = beats.filter(({ atNs }) => alarms.some((alarm) => holds(alarm, atNs)));
    const right = alarms.filter((alarm) => beats.some(({ atNs }) => holds(alarm, atNs)));
    expect(beats.length).toBeGreaterThan(200);
    expect(found.length / beats.length).toBeGreaterThan(0.85);
    expect(right.length / alarms.length).toBeGreaterThan(0.85);
  });

  it.skipIf(lacks("keywords-12"))("Speech Commands: spoken words become events, in order", async () => {
    const words = ["yes", "no", "stop", "go", "left", "right", "up", "down", "on", "off"];
    const clips: SampleBlock[] = [];
    for (const [i, word] of [...words, ...words].entries()) {
      const folder = join(dataDir!, "speech-commands/test", word);
      const file = readdirSync(folder).sort()[Math.floor(i / words.length) * 7]!;
      clips.push(...(await openRecording(join(folder, file))).blocks(2));
    }
    const rateHz = 16_000;
    const signal = new Float32Array(2 * rateHz * (clips.length + 1)); // each word in two seconds of near silence
    for (let i = 0; i < signal.length; i++) signal[i] = 1e-4 * Math.sin((i + 1) ** 2 * 12.9898);
    clips.forEach(({ samples }, i) => {
      samples.forEach((x, k) => {
        const at = Math.round((2 * i + 0.5) * rateHz) + k;
        signal[at] = signal[at]! + x;
      });
    });
    function* frames(): Generator<SampleBlock> {
      const length = 1024;
      for (let from = 0; from < signal.length; from += length) {
        const samples = signal.slice(from, from + length);
        yield { stream: "s", startAtNs: 0n, sampleRateHz: rateHz, channels: ["sound"], samples };
      }
    }
    const rows = await recorded({ pipeline: "audio", model: "keywords-12", codec: "wav" }, frames());
    const heard = rows.map(({ kind }) => kind);
    const spoken = [...words, ...words];
    // Longest common subsequence: words heard in the order in which they were spoken.
    const table = spoken.map(() => heard.map(() => 0));
    let common = 0;
    spoken.forEach((word, i) => {
      heard.forEach((kind, k) => {
        const diagonal = table[i - 1]?.[k - 1] ?? 0;
        const best = Math.max(table[i - 1]?.[k] ?? 0, table[i]![k - 1] ?? 0);
        table[i]![k] = word === kind ? diagonal + 1 : best;
        common = Math.max(common, table[i]![k]!);
      });
    });
    expect(common / spoken.length).toBeGreaterThanOrEqual(0.8);
    expect(heard.length - common).toBeLessThanOrEqual(0.2 * spoken.length);
  });
});
