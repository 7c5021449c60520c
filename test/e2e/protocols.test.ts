import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { decodePayload, encodePayload, type UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { encodeSparkplug } from "../../agent/codecs/sparkplug/payload.ts";
import { type Agent, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { filtersOf } from "../../agent/mqtt/subscribe.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { freePort, type Mosquitto, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { farModel, toneModel } from "../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const startMs = 1_700_000_000_000;
const samplesOf = (hertz: number) =>
  Float32Array.from({ length: rateHz }, (_, i) => {
    return Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
  });
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const run = (program: string, ...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args);
    let output = "";
    child.stdout.on("data", (part: Buffer) => {
      output += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => {
      output += part.toString();
    });
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });

describe.skipIf(mosquitto === undefined)("The agent with peers that are not ours (skipped without mosquitto)", () => {
  let directory: string;
  let port: number;
  let broker: Mosquitto;
  let agent: Agent;
  const start = async (mqttSettings: Record<string, unknown>, stream: Record<string, unknown> = {}) => {
    const { graph, manifest } = toneModel();
    agent = await startAgent(
      configSchema.parse({
        mqtt: { url: `mqtt://127.0.0.1:${port}`, ...mqttSettings },
        state: { directory },
        streams: [{ name: "bearing", pipeline: "vibration", model: "tones", ...stream }],
      }),
      { log: silent, openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }) },
    );
    await agent.connection.connected;
    await agent.connection.subscribeTo(filtersOf(agent.config)); // the broker has confirmed all
  };
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "ohmwatch-peers-"));
    port = await freePort();
    broker = await startMosquitto(port);
  });
  afterEach(async () => {
    await agent.stop();
    await broker.kill();
    rmSync(directory, { recursive: true });
  });

  it("answers mosquitto_rr at its response topic, with its correlation data", async () => {
    await start({ version: "5" });
    const answer = await run(
      "mosquitto_rr",
      ...["-p", `${port}`, "-V", "mqttv5", "-t", "ohmwatch/bridge/request/health", "-e", "answers/7", "-m", "{}"],
      ...["-D", "publish", "correlation-data", "c-42", "-F", "%t|%D|%C|%p", "-W", "20"],
    );
    const [topic, correlation, type, payload] = answer.trim().split("|");
    expect([topic, correlation, type]).toEqual(["answers/7", "c-42", "application/json"]);
    expect(JSON.parse(payload!)).toMatchObject({ status: "ok", data: { ready: true } });
  });

  it("tells mosquitto_sub what an event is, and lets it expire", async () => {
    await start({ version: "5", eventExpirySeconds: 600 });
    const listening = run(
      "mosquitto_sub",
      ...["-p", `${port}`, "-V", "mqttv5", "-q", "1", "-t", "ohmwatch/bearing/+", "-C", "1", "-W", "20"],
      ...["-F", "%t|%E|%P|%p"],
    );
    const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
    for (let s = 0; s < 3; s++) {
      const startAtNs = BigInt(startMs + s * 1000) * 1_000_000n;
      const block = {
        stream: "b",
        startAtNs,
        sampleRateHz: rateHz,
        channels: ["acceleration"],
        samples: samplesOf(4000),
      };
      await sensor.publish("ohmwatch/in/bearing", codecByName("protobuf")!.encode!(block));
    }
    const [topic, expiry, properties, payload] = (await listening).trim().split("|");
    expect(topic).toBe("ohmwatch/bearing/inner-race");
    expect(Number(expiry)).toBeGreaterThan(590); // what is left of 600 s
    expect(properties).toContain("schema:ohmwatch-event/1");
    expect(JSON.parse(payload!)).toMatchObject({ type: "new", after: { state: "active" } });
    await sensor.close();
  });

  it.each(["mqttv311", "mqttv5"])(
    "takes readings line by line from mosquitto_pub, %s, but not what it retained",
    async (version) => {
      const topic = "plant/pump/+";
      const { graph, manifest } = farModel();
      agent = await startAgent(
        configSchema.parse({
          mqtt: { url: `mqtt://127.0.0.1:${port}`, version: version === "mqttv5" ? "5" : "3.1.1" },
          state: { directory },
          streams: [
            { name: "pump", pipeline: "sensor", model: "far", codec: "readings", topic, settings: { rateHz: 1 } },
          ],
        }),
        { log: silent, openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }) },
      );
      await agent.connection.connected;
      const say = (lines: readonly string[], ...more: readonly string[]): Promise<unknown> => {
        const child = spawn("mosquitto_pub", [
          "-p",
          `${port}`,
          "-V",
          version,
          "-q",
          "1",
          "-t",
          "plant/pump/1",
          ...more,
          "-l",
        ]);
        child.stdin.end(`${lines.join("\n")}\n`);
        return new Promise((resolve) => child.once("close", resolve));
      };
      const reading = (second: number, pressure: number) =>
        JSON.stringify({
          pressure: pressure + Math.sin(second),
          flow: 3 + Math.cos(second * 1.7),
          time: new Date(startMs + second * 1000).toISOString(),
        });
      await say([reading(0, 5)], "-r");
      await agent.connection.subscribeTo(filtersOf(agent.config)); // with MQTT 3.1.1 the broker sends what it keeps once more
      const lines = Array.from({ length: 60 }, (_, s) => reading(100 + s, s < 50 ? 5 : 50));
      await say(lines);
      await until(() => agent.store.list().length === 1);
      expect(agent.store.list()).toMatchObject([{ stream: "pump", kind: "anomaly" }]);
      const raisedAfter = Number(agent.store.list()[0]!.fromNs / 1_000_000n) - startMs - 100_000;
      expect(raisedAfter / 1000).toBeGreaterThanOrEqual(46); // windows of four rows; the fault begins with row 50
      expect(raisedAfter / 1000).toBeLessThanOrEqual(52);
      expect(agent.streams[0]!.rejected).toBe(0);
      if (version === "mqttv311")
        expect(agent.telemetry.count("MessageDropped", { reason: "retained" })).toBeGreaterThan(0);
      expect(agent.streams[0]!.messages).toBeLessThanOrEqual(61);
    },
  );

  it("takes a waveform from an edge node of Sparkplug B, and has a stranger born again", async () => {
    await start(
      {},
      { codec: "sparkplug-b", topic: "spBv1.0/hall/+/press/#", settings: { channels: ["acceleration"], rateHz } },
    );
    const node = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    const commands: UPayload[] = [];
    node.on("message", (_, payload) => commands.push(decodePayload(payload)));
    await node.subscribeAsync("spBv1.0/hall/NCMD/press");
    const second = (seq: number, s: number, hertz: number) =>
      encodeSparkplug({
        timestampMs: startMs + s * 1000,
        seq,
        metrics: [
          {
            alias: 4,
            datatype: "FloatArray",
            timestampMs: startMs + s * 1000,
            value: Float64Array.from(samplesOf(hertz)),
          },
        ],
      });
    const send = (kind: string, payload: Uint8Array) =>
      node.publishAsync(`spBv1.0/hall/${kind}/press/shaft`, Buffer.from(payload));
    await send("DDATA", second(9, 0, 4000)); // nobody knows alias 4 yet
    await until(() => commands.length === 1);
    expect(commands[0]!.metrics).toMatchObject([{ name: "Node Control/Rebirth", type: "Boolean", value: true }]);
    const bdSeq = { name: "bdSeq", type: "UInt64" as const, value: 0 };
    await node.publishAsync(
      "spBv1.0/hall/NBIRTH/press",
      Buffer.from(encodePayload({ timestamp: startMs, seq: 0, metrics: [bdSeq] })),
    );
    await send(
      "DBIRTH",
      encodeSparkplug({
        timestampMs: startMs,
        seq: 1,
        metrics: [{ name: "acceleration", alias: 4, datatype: "FloatArray", value: null }],
      }),
    );
    for (let s = 0; s < 4; s++) await send("DDATA", second(2 + s, s, 4000));
    await until(() => agent.store.list().length === 1);
    expect(agent.store.list()).toMatchObject([{ kind: "inner-race", state: "active" }]);
    expect(Number(agent.store.list()[0]!.fromNs / 1_000_000n) - startMs).toBe(0);
    expect(agent.health().ready).toBe(true);
    await node.publishAsync("spBv1.0/hall/NDEATH/press", Buffer.from(encodePayload({ metrics: [bdSeq] })));
    await until(() => agent.telemetry.count("SourceDied") === 1);
    expect(agent.health().reasons).toEqual(["bearing: expected a sender that lives, got one that said it is gone"]);
    await node.endAsync();
  });
});
