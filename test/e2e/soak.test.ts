import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { serveHttp } from "../../agent/http/server.ts";
import { connectPublisher, type PublisherClient } from "../../agent/mqtt/publisher-client.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { bytesInUse } from "../fuzz/memory.ts";
import { farModel, toneModel } from "../support/tiny-models.ts";

/**
 * A day of an agent's life as fast as it goes: streams with faults and gaps, spoilt payloads, sensors that come and go,
 * scrapes, reloads. Memory must stay flat and no descriptor be left. `OHMWATCH_SOAK_HOURS=24 npx vitest run
 * test/e2e/soak.test.ts` is the full day.
 */
const hours = Number(process.env["OHMWATCH_SOAK_HOURS"] ?? 0.2);
const seconds = Math.round(hours * 3600);
/** Between a quarter of the time and its end. */
const growthBytes = 5_000_000;

const startAtNs = 1_764_000_000_000_000_000n;
const rateHz = 12_000;
const tones = [1000, 4000].map((hertz) =>
  Float32Array.from(
    { length: rateHz },
    (_, i) => Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01,
  ),
);
const at = (second: number): bigint => startAtNs + BigInt(second) * 1_000_000_000n;
const bearing = (second: number): SampleBlock => ({
  stream: "bearing",
  startAtNs: at(second),
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  // A fault of four seconds every minute.
  samples: tones[second % 60 < 4 ? 1 : 0]!,
});
const pump = (second: number): SampleBlock => ({
  stream: "pump",
  startAtNs: at(second),
  sampleRateHz: 1,
  channels: ["pressure", "flow"],
  samples: Float32Array.of((second % 300 > 290 ? 50 : 5) + Math.sin(second), 3 + Math.cos(second * 1.7)),
});

const openModel = (name: string) => {
  const { graph, manifest } = name === "tones" ? toneModel() : farModel();
  return { manifest, sha256: "", network: new DigitalNetwork(graph, { kernel: "simd" }) };
};
const descriptors = (): number => readdirSync("/proc/self/fd").length;
const settled = async (agent: Agent, sent: number): Promise<void> => {
  const done = () => agent.streams.slice(0, 2).reduce((sum, { messages }) => sum + messages, 0);
  while (done() < sent) await new Promise((resolve) => setTimeout(resolve, 5));
  await agent.idle();
};

describe(`An agent after ${hours} h of signal`, () => {
  it.skipIf(process.platform !== "linux")(
    "holds no more memory and no more descriptors than after a quarter of it",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "ohmwatch-soak-"));
      const before = descriptors();
      const configOf = (extra: boolean) =>
        configSchema.parse({
          mqtt: { embeddedPort: 0 },
          state: { directory },
          http: { listen: "127.0.0.1:0" },
          streams: [
            { name: "bearing", pipeline: "vibration", model: "tones" },
            { name: "pump", pipeline: "sensor", model: "far", codec: "json" },
            ...(extra ? [{ name: "extra", pipeline: "vibration", model: "tones" }] : []),
          ],
        });
      const startedAtMs = performance.now();
      let lines = 0;
      const count = () => void lines++;
      const agent = await startAgent(configOf(false), { log: { info: count, warn: count, error: count }, openModel });
      const http = await serveHttp(agent, agent.config.http!, "soak");
      await agent.connection.connected;
      const [protobuf, json] = [codecByName("protobuf"), codecByName("json")];
      let sensor: PublisherClient = await connectPublisher(agent.brokerUrl, "sensor", 1);
      const memory: number[] = [];
      const open: number[] = [];
      let sent = 0;
      const publish = async (topic: string, payload: Uint8Array): Promise<void> => {
        await sensor.publish(`ohmwatch/in/${topic}`, payload);
        sent++;
      };
      for (let second = 0; second < seconds; second++) {
        if (second % 97 !== 13) await publish("bearing", protobuf.encode!(bearing(second))); // now and then a gap
        await publish("pump", json.encode!(pump(second)));
        if (second % 50 === 7) await publish("pump", new TextEncoder().encode(`{"spoilt": ${second}`));
        if (second % 300 === 299) {
          await sensor.close();
          sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
          await (await fetch(`${http.url}/metrics`)).text();
          await agent.reconfigure(configOf(second % 600 < 300));
        }
        if (second % Math.ceil(seconds / 8) === 0) {
          await settled(agent, sent);
          memory.push(bytesInUse());
          open.push(descriptors());
        }
      }
      await settled(agent, sent);
      memory.push(bytesInUse());
      open.push(descriptors());
      const [frames, anomalies] = [agent.streams[0]!.frames, agent.streams[0]!.anomalies];
      const megabytes = memory.map((bytes) => (bytes / 1e6).toFixed(1));
      if (hours >= 1) {
        const rss = (process.memoryUsage().rss / 1e6).toFixed(0);
        process.stderr.write(
          `${sent} messages, ${frames} windows, ${anomalies} anomalies, ${lines} log lines; in use ${megabytes.join(", ")} MB, resident ${rss} MB, descriptors ${open.join(", ")}\n`,
        );
      }
      expect(frames).toBeGreaterThan(2.5 * seconds);
      expect(anomalies).toBeGreaterThanOrEqual(Math.floor(seconds / 60));
      expect(
        Math.max(...memory.slice(2).map((bytes) => Math.abs(bytes - memory[2]!))),
        megabytes.join(", "),
      ).toBeLessThan(growthBytes);
      // One connection more or less may be on its way to be closed.
      expect(Math.max(...open.slice(2)) - open[2]!).toBeLessThanOrEqual(2);
      // A line a minute for each thing that keeps coming, and no more.
      expect(lines).toBeLessThan(20 * (1 + (performance.now() - startedAtMs) / 60_000));
      await sensor.close();
      await http.close();
      await agent.stop();
      await expect.poll(descriptors).toBeLessThanOrEqual(before);
      rmSync(directory, { recursive: true });
    },
    3_600_000,
  );
});
