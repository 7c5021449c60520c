import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Agent, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../agent/mqtt/embedded-broker.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { changeOf } from "../agent/store/anomalies.ts";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { toneModel } from "../support/tiny-models.ts";
import { until } from "../support/until.ts";

const hourMs = 3_600_000;
const openModel = () => {
  const { graph, manifest } = toneModel();
  return { manifest, sha256: "", network: new DigitalNetwork(graph) };
};

let directory: string;
let broker: EmbeddedBroker;
let link: TcpProxy;
let agent: Agent;
let nowMs = Date.UTC(2026, 10, 25);
let paused: number[];
const heard: { topic: string; message: { type?: string; at: string; replayed?: boolean; after?: { id: string } } }[] =
  [];
let listener: { endAsync(force: boolean): Promise<void> };

const start = async (forward: Record<string, unknown>) => {
  agent = await startAgent(
    configSchema.parse({
      mqtt: { url: `mqtt://127.0.0.1:${link.port}` },
      state: { directory },
      forward,
      streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
    }),
    {
      log: { info: () => {}, warn: () => {}, error: () => {} },
      openModel,
      nowMs: () => nowMs,
      pause: async (ms) => {
        paused.push(ms);
        nowMs += ms;
      },
    },
  );
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-forward-"));
  paused = [];
  heard.length = 0;
  broker = await startEmbeddedBroker(0);
  link = await startProxy(broker.port);
  const { default: mqtt } = await import("mqtt");
  const client = await mqtt.connectAsync(broker.url);
  client.on("message", (topic, payload) => heard.push({ topic, message: JSON.parse(payload.toString()) }));
  await client.subscribeAsync("ohmwatch/#");
  listener = client;
});
afterEach(async () => {
  await agent.stop();
  await listener.endAsync(true);
  await link.close();
  await broker.close();
  rmSync(directory, { recursive: true });
});
const events = () => heard.filter(({ topic }) => topic === "ohmwatch/events").map(({ message }) => message);
const record = (type: "new" | "end", number: number) => agent.recorder.record(changeOf(type, number));

it("An hour without a broker: every alert comes when it is back, in order, marked, no faster than told, then what is live", async () => {
  await start({ replayPerSecond: 50 });
  await agent.connection.connected;
  record("new", 0);
  await agent.idle();
  await until(() => events().length === 1);
  await link.down();
  await until(() => !agent.connection.isConnected());
  const beganMs = nowMs;
  for (let minute = 1; minute <= 60; minute++) {
    nowMs = beganMs + minute * 60_000;
    record("new", minute);
    record("end", minute);
  }
  expect(agent.store.outbox.pendingCount()).toBe(120);
  await link.up();
  await until(() => events().length >= 121);
  await agent.idle();
  record("end", 0);
  await agent.idle();
  await until(() => events().length >= 122);

  const all = events();
  expect(all.map(({ type, after }) => `${type} ${after!.id}`)).toEqual([
    "new pump/anomaly/0",
    ...Array.from({ length: 60 }, (_, i) => [`new pump/anomaly/${i + 1}`, `end pump/anomaly/${i + 1}`]).flat(),
    "end pump/anomaly/0",
  ]);
  expect(all.map(({ replayed = false }) => replayed)).toEqual([false, ...new Array<boolean>(120).fill(true), false]);
  expect(Date.parse(all[1]!.at)).toBe(beganMs + 60_000);
  expect(Date.parse(all[120]!.at)).toBe(beganMs + hourMs);
  expect(paused.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo((120 / 50) * 1000, 6);
  expect(Math.max(...paused)).toBeLessThanOrEqual(100); // a live alert waits no longer than that behind a batch
  expect(agent.store.outbox.pendingCount()).toBe(0);
});

it("A restart while the broker is away loses no alert, and what was written before it is marked too", async () => {
  await link.down();
  await start({});
  record("new", 1);
  await agent.stop();
  await start({});
  record("new", 2);
  await link.up();
  await until(() => events().length >= 2);
  await agent.idle();
  // The first run ended what it had not: nothing does so for an anomaly that no stream holds, so the second interrupted it.
  expect(events().map(({ type, after, replayed }) => `${type} ${after!.id} ${replayed}`)).toEqual([
    "new pump/anomaly/1 true",
    "end pump/anomaly/1 true",
    "new pump/anomaly/2 true",
  ]);
});

it("Statistics wait on disk while the broker is away, and follow the alerts, marked", async () => {
  await start({ statisticsSeconds: 0.01 });
  await agent.connection.connected;
  const statistics = () => heard.filter(({ topic }) => topic === "ohmwatch/bearing/statistics");
  const live = () => statistics().filter(({ message }) => !message.replayed);
  await until(() => live().length >= 3);
  expect(live()[0]!.message).toMatchObject({ stream: "bearing", messages: 0, frames: 0, at: expect.any(String) });
  await agent.idle(); // what was reported before there was a connection has come, marked
  await until(() => agent.ring.oldest(1).length === 0);
  await link.down();
  await until(() => !agent.connection.isConnected());
  record("new", 1);
  const before = heard.length;
  await until(() => agent.ring.oldest(1).length > 0); // many at once, after sixty-four
  await link.up();
  await until(() => statistics().filter(({ message }) => message.replayed).length >= 64);
  const order = heard.slice(before).filter(({ message }) => message.replayed);
  expect(order[0]!.topic).toBe("ohmwatch/events");
  await agent.idle();
  expect(agent.ring.oldest(1)).toEqual([]);
});
