import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { toneModel } from "../../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const fault = (second: number) => ({
  stream: "bearing",
  startAtNs: 1_700_000_000_000_000_000n + BigInt(second) * 1_000_000_000n,
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: rateHz }, (_, i) => {
    return Math.sin((2 * Math.PI * 4000 * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
  }),
});

let directory: string;
let agent: Agent;
let client: MqttClient;
const waiting = new Map<string, (payload: string) => void>();
const next = (topic: string): Promise<Record<string, unknown>> =>
  new Promise((resolve) => waiting.set(topic, (payload) => resolve(JSON.parse(payload))));

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-bridge-"));
  const { graph, manifest } = toneModel();
  agent = await startAgent(
    configSchema.parse({
      mqtt: { embeddedPort: 0 },
      state: { directory },
      streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
    }),
    { log: silent, openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }) },
  );
  client = await mqtt.connectAsync(agent.brokerUrl);
  client.on("message", (topic, payload) => waiting.get(topic)?.(payload.toString()));
  await agent.connection.subscribeTo(["ohmwatch/in/#"]); // the broker has confirmed the requests' filter too
  const settled = next("ohmwatch/bearing/inner-race");
  await client.subscribeAsync(["ohmwatch/bridge/response/#", "ohmwatch/bearing/+"]);
  const codec = codecByName("protobuf")!;
  for (const second of [0, 1, 2]) {
    await client.publishAsync("ohmwatch/in/bearing", Buffer.from(codec.encode!(fault(second))), { qos: 1 });
  }
  await settled;
});
afterAll(async () => {
  await client.endAsync();
  await agent.stop();
  rmSync(directory, { recursive: true });
});

const ask = async (command: string, request: unknown): Promise<Record<string, unknown>> => {
  const answer = next(`ohmwatch/bridge/response/${command}`);
  const text = typeof request === "string" ? request : JSON.stringify(request);
  await client.publishAsync(`ohmwatch/bridge/request/${command}`, text);
  return answer;
};

describe("A request over MQTT 3.1.1", () => {
  it("lists anomalies by the filters of the command line, and echoes the transaction", async () => {
    const all = await ask("anomalies/list", { transaction: "t-1" });
    expect(all).toMatchObject({
      status: "ok",
      transaction: "t-1",
      data: [{ stream: "bearing", kind: "inner-race", state: "active", severity: "major" }],
    });
    expect(await ask("anomalies/list", { state: "ended" })).toEqual({ status: "ok", data: [] });
    expect(await ask("anomalies/list", { since: "2030-01-01T00:00:00Z" })).toEqual({ status: "ok", data: [] });
  });

  it("acknowledges an anomaly, with what it was in truth", async () => {
    const [anomaly] = agent.store.list();
    const answer = await ask("anomalies/ack", { id: anomaly!.id, by: "jane", label: "normal" });
    expect(answer).toMatchObject({
      status: "ok",
      data: { id: anomaly!.id, acknowledgedBy: "jane", trueLabel: "normal" },
    });
    expect(agent.store.get(anomaly!.id)?.acknowledgement).toMatchObject({ by: "jane", label: "normal" });
  });

  it("shelves an alarm for a while, and lets it speak again", async () => {
    const alarm = { stream: "bearing", kind: "inner-race" };
    const shelved = await ask("anomalies/shelve", { ...alarm, forSeconds: 3600, by: "jane" });
    expect(shelved).toMatchObject({ status: "ok", data: [{ ...alarm, by: "jane" }] });
    expect(await ask("anomalies/unshelve", alarm)).toEqual({ status: "ok", data: [] });
    expect(await ask("anomalies/unshelve", alarm)).toEqual({
      status: "error",
      error: "alarm: expected one that is shelved, got bearing inner-race",
    });
  });

  it("tells how the agent is", async () => {
    const { data } = await ask("health", "");
    expect(data).toMatchObject({ alive: true, ready: true, streams: { bearing: { messages: 3, rejected: 0 } } });
  });

  it.each([
    ["calibrate", {}, "chip: expected one, got models that run without"],
    ["chip/forget", {}, "model: expected a text, got nothing"],
    ["chip/forget", { model: "tones" }, "model: expected one on a chip (none is), got tones"],
    ["anomalies/list", "{", "payload: expected a JSON object or nothing, got 1 bytes that are none"],
    ["anomalies/list", [1], "payload: expected a JSON object or nothing, got [1]"],
    ["anomalies/list", { limit: 0 }, "limit: expected a number 1 … 1000, got 0"],
    ["anomalies/list", { state: "open" }, 'state: expected one of active, ended, interrupted, got "open"'],
    ["anomalies/list", { since: "yesterday" }, 'since: expected a time of ISO 8601, got "yesterday"'],
    ["anomalies/ack", {}, "id: expected a text, got nothing"],
    ["anomalies/ack", { id: "x" }, "id: expected that of a recorded anomaly, got x"],
    ["anomalies/shelve", { stream: "a", kind: "b" }, "forSeconds: expected a number, got nothing"],
    ["anomalies/burn", {}, /^request: expected one of health, info, chip, calibrate, .*, got anomalies\/burn$/],
  ])("%s with %j is refused with a sentence", async (command, request, sentence) => {
    const { status, error } = await ask(command, request);
    expect(status).toBe("error");
    expect(error).toEqual(sentence instanceof RegExp ? expect.stringMatching(sentence) : sentence);
  });
});

describe("The bridge", () => {
  it("keeps state, info and health for whoever subscribes later", async () => {
    const kept = ["state", "info", "health"].map((what) => next(`ohmwatch/bridge/${what}`));
    await client.subscribeAsync("ohmwatch/bridge/+");
    const [state, info, health] = await Promise.all(kept);
    expect(state).toEqual({ state: "online" });
    expect(info).toMatchObject({
      name: "ohmwatch",
      chip: "pcm-nandakumar-2019",
      streams: [{ name: "bearing", topic: "ohmwatch/in/bearing", model: "tones" }],
    });
    expect(info!["commands"]).toContain("anomalies/ack");
    expect(health).toMatchObject({ alive: true, eventsWaiting: 0 });
  });
});
