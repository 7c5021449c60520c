import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { connectPublisher, type PublisherClient } from "../../agent/mqtt/publisher-client.ts";
import { AnomalyStore } from "../../agent/store/anomaly-store.ts";
import { openForReading } from "../../agent/store/database.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { farModel, toneModel } from "../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const startAtNs = 1_700_000_000_000_000_000n;

/** One second of a tone, with a little deterministic noise so that no band is empty. */
const tone = (second: number, hertz: number, amplitude = 1): SampleBlock => ({
  stream: "bearing",
  startAtNs: startAtNs + BigInt(second) * 1_000_000_000n,
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: rateHz }, (_, i) => {
    const noise = Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
    return amplitude * (Math.sin((2 * Math.PI * hertz * i) / rateHz) + noise);
  }),
});
const healthy = (second: number) => tone(second, 1000);
const faulty = (second: number) => tone(second, 4000);

const modelOf = ({ graph, manifest }: ReturnType<typeof toneModel>) => ({
  manifest,
  sha256: "",
  network: new DigitalNetwork(graph, { kernel: "reference" }),
});
const openModel = (name: string) => {
  if (name === "tones") return modelOf(toneModel());
  if (name === "far") return modelOf(farModel());
  if (name === "wrong-shape") {
    const { graph, manifest } = toneModel();
    return modelOf({ graph, manifest: { ...manifest, input: { ...manifest.input, shape: [1, 16, 1] } } });
  }
  throw new Error(`model: expected one of tones, far, got ${name}`);
};

let directory: string;
let agent: Agent;
let sensor: PublisherClient;
const protobuf = codecByName("protobuf")!;

const configOf = (streams: readonly Record<string, unknown>[], others: Record<string, unknown> = {}) =>
  configSchema.parse({ mqtt: { embeddedPort: 0 }, state: { directory }, streams, ...others });
const start = async (streams: readonly Record<string, unknown>[]) => {
  agent = await startAgent(configOf(streams), { log: silent, openModel });
  sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  await agent.connection.connected;
};
const send = (stream: string, payload: Uint8Array) => sensor.publish(`ohmwatch/in/${stream}`, payload);
/** All that was sent so far is through: a last message on a topic of its own has been counted. */
const through = async () => {
  const before = agent.telemetry.count("MessageUnrouted");
  await send("end-of-test", Uint8Array.of(1));
  while (agent.telemetry.count("MessageUnrouted") === before) await new Promise((resolve) => setImmediate(resolve));
  await agent.idle();
};

const bearing = { name: "bearing", pipeline: "vibration", model: "tones" };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-compose-"));
});
afterEach(async () => {
  await sensor.close();
  await agent.stop();
  rmSync(directory, { recursive: true });
});

describe("The agent, over a real broker", () => {
  it("makes one anomaly of a fault that lasts, at its time, with its signal", async () => {
    await start([bearing]);
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(healthy(s)));
    for (let s = 3; s < 6; s++) await send("bearing", protobuf.encode!(faulty(s)));
    for (let s = 6; s < 9; s++) await send("bearing", protobuf.encode!(healthy(s)));
    await through();
    const rows = agent.store.list();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ stream: "bearing", kind: "inner-race", severity: "major", state: "ended" });
    // Windows are a third of a second long and a quarter apart: onset and end are known to about one of them.
    expect(Number(rows[0]!.fromNs - startAtNs) / 1e9).toBeCloseTo(3, 0);
    expect(Number(rows[0]!.toNs - startAtNs) / 1e9).toBeCloseTo(6, 0);
    const evidence = agent.store.evidence(rows[0]!.id)!;
    expect(evidence).toMatchObject({ sampleRateHz: rateHz, channels: ["acceleration"] });
    const offset = Math.round((Number(evidence.startAtNs - startAtNs) / 1e9) * rateHz);
    const second = Math.floor(offset / rateHz) + 1;
    const sent = (second < 3 ? healthy(second) : faulty(second)).samples;
    expect(evidence.samples.slice(second * rateHz - offset, second * rateHz - offset + 100)).toEqual(
      sent.slice(0, 100),
    );
  });

  it("publishes new and end with one id, keeps the last as retained state, and empties the outbox", async () => {
    await start([bearing]);
    const { default: mqtt } = await import("mqtt");
    const listener = await mqtt.connectAsync(agent.brokerUrl);
    const events: { type: string; after: { id: string; state: string } }[] = [];
    listener.on("message", (_, payload) => events.push(JSON.parse(payload.toString())));
    await listener.subscribeAsync("ohmwatch/events");
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(faulty(s)));
    for (let s = 3; s < 6; s++) await send("bearing", protobuf.encode!(healthy(s)));
    await through();
    while (events.at(-1)?.type !== "end") await new Promise((resolve) => setImmediate(resolve));
    expect(events[0]).toMatchObject({ type: "new", before: null });
    expect(new Set(events.map(({ after }) => after.id)).size).toBe(1);
    expect(agent.store.outbox.pending(10)).toEqual([]);
    const retained = new Promise<string>((resolve) =>
      listener.on("message", (topic, payload) => topic.endsWith("inner-race") && resolve(payload.toString())),
    );
    await listener.subscribeAsync("ohmwatch/bearing/inner-race");
    expect(JSON.parse(await retained).after.state).toBe("ended");
    await listener.endAsync(true);
  });

  it("ends what is active when it stops, and leaves one clean file", async () => {
    await start([bearing]);
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(faulty(s)));
    await through();
    expect(agent.store.list()).toMatchObject([{ state: "active" }]);
    const { databaseFile } = agent;
    await agent.stop();
    const reader = openForReading(databaseFile);
    expect(new AnomalyStore(reader).list()).toMatchObject([{ state: "ended" }]);
    reader.close();
    await start([bearing]);
  });
});

describe("Broken input", () => {
  const rows = (second: number, pressure: number) =>
    new TextEncoder().encode(
      JSON.stringify({
        t0_ns: String(startAtNs + BigInt(second) * 1_000_000_000n),
        rate_hz: 1,
        channels: ["pressure", "flow"],
        samples: [[pressure + Math.sin(second), 3 + Math.cos(second * 1.7)]],
      }),
    );

  it("costs an event and nothing else: the other streams, and the stream itself, go on", async () => {
    await start([bearing, { name: "pump", pipeline: "sensor", model: "far", codec: "json" }]);
    const good = protobuf.encode!(healthy(0));
    const bad: Uint8Array[] = [
      good.slice(0, 100), // truncated
      new Uint8Array(0), // empty
      protobuf.encode!({ ...healthy(0), sampleRateHz: 1e9 }), // a rate that cannot be
      new TextEncoder().encode("hello"),
    ];
    for (const payload of bad) await send("bearing", payload);
    await send("pump", new TextEncoder().encode('{"temperature": 21}'));
    await send("nobody", good);
    await send("bearing", protobuf.encode!({ ...healthy(0), samples: new Float32Array(rateHz).fill(Number.NaN) }));
    for (let s = 1; s < 4; s++) await send("bearing", protobuf.encode!(faulty(s)));
    for (let s = 0; s < 60; s++) await send("pump", rows(s, s < 50 ? 5 : 50));
    await through();
    const { telemetry, streams } = agent;
    expect(telemetry.count("PayloadRejected", { stream: "bearing" })).toBe(4);
    expect(telemetry.count("PayloadRejected", { stream: "pump" })).toBe(1);
    expect(telemetry.count("PayloadRejected", { reason: "empty" })).toBe(1);
    expect(telemetry.count("MessageUnrouted", { reason: "topic-not-configured" })).toBe(2); // and that of `through`
    expect(telemetry.count("SamplesDropped", { stream: "bearing", reason: "not-finite" })).toBe(rateHz);
    expect(telemetry.count("StreamFailed")).toBe(0);
    expect(streams.map(({ rejected }) => rejected)).toEqual([4, 1]);
    expect(new Set(agent.store.list().map(({ kind }) => kind))).toEqual(new Set(["inner-race", "anomaly"]));
  });

  it("of a model leaves its stream out, with a sentence, and runs the others", async () => {
    await start([
      { ...bearing, name: "unfit", model: "wrong-shape" },
      { ...bearing, name: "missing", model: "none" },
      { ...bearing, name: "foreign", pipeline: "ecg" },
      { ...bearing, name: "unknown-label", decisions: [{ label: "outer-race" }] },
      bearing,
    ]);
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(faulty(s)));
    await send("unfit", protobuf.encode!(faulty(0)));
    await through();
    expect(agent.telemetry.count("ModelRefused")).toBe(4);
    expect(agent.streams.map(({ stopped }) => stopped)).toEqual([
      expect.stringMatching(/input\.shape: expected \[1, 32, 1\].* got \[1, 16, 1\]/),
      expect.stringMatching(/model: expected one of tones, far, got none/),
      expect.stringMatching(/model: expected one for the pipeline ecg, got tones, which is for vibration/),
      expect.stringMatching(/decisions\.0\.label: expected a label of tones .* got "outer-race"/),
      undefined,
    ]);
    expect(agent.telemetry.count("MessageDropped", { stream: "unfit", reason: "stream-stopped" })).toBe(1);
    expect(agent.store.list()).toHaveLength(1);
  });

  it("of a disk is an event: the stream goes on", async () => {
    await start([bearing]);
    const reader = openForReading(agent.databaseFile);
    reader.close();
    const { default: Database } = await import("better-sqlite3");
    const other = new Database(agent.databaseFile);
    other.exec(
      "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(faulty(s)));
    await through();
    other.exec("DROP TRIGGER full");
    other.close();
    expect(agent.telemetry.count("AnomalyLost", { stream: "bearing" })).toBeGreaterThan(0);
    expect(agent.telemetry.count("StreamFailed")).toBe(0);
    expect(agent.streams[0]!.frames).toBeGreaterThan(8);
  });
});

describe("Another configuration while the agent runs", () => {
  /** A tenth of a second: windows of a third lie across what is changed in between. */
  const tenth = (i: number, hertz: number) => {
    const whole = tone(Math.floor(i / 10), hertz);
    const samples = whole.samples.subarray((i % 10) * 1200, (i % 10) * 1200 + 1200);
    return protobuf.encode!({ ...whole, startAtNs: startAtNs + BigInt(i) * 100_000_000n, samples });
  };

  it("leaves a stream that it does not change its windows, its open anomaly and its counters", async () => {
    await start([bearing, { ...bearing, name: "other" }]);
    const tenths = Array.from({ length: 60 }, (_, i) => i);
    for (const i of tenths) {
      await send("bearing", tenth(i, i < 20 || i >= 40 ? 1000 : 4000));
      if (i === 33) {
        const changes = await agent.reconfigure(configOf([{ ...bearing, name: "third" }, bearing]));
        expect(changes).toMatchObject({ added: ["third"], removed: ["other"], changed: [], unchanged: ["bearing"] });
      }
    }
    await through();
    expect(agent.streams.map(({ name, messages }) => [name, messages])).toEqual([
      ["third", 0],
      ["bearing", 60],
    ]);
    // As many windows as six seconds have without a break, and one anomaly from 2 s to 4 s.
    expect(agent.streams[1]!.frames).toBe(Math.floor((72_000 - 4096) / 3000) + 1);
    const rows = agent.store.list();
    expect(rows.map(({ stream, state }) => [stream, state])).toEqual([["bearing", "ended"]]);
    expect(Number(rows[0]!.toNs - startAtNs) / 1e9).toBeCloseTo(4, 0);
  });

  it("takes a new stream's messages, and those of a changed one from a new topic, and loses none that waited", async () => {
    await start([bearing]);
    const sent = Array.from({ length: 20 }, (_, i) => send("bearing", tenth(i, 1000)));
    await agent.reconfigure(
      configOf([
        { ...bearing, queue: { maxMessages: 1 } },
        { ...bearing, name: "new", topic: "hall/+" },
      ]),
    );
    await Promise.all(sent);
    await sensor.publish("hall/3", tenth(0, 1000));
    await through();
    const handled = agent.streams.map(({ name, messages }) => [name, messages]);
    expect(handled[1]).toEqual(["new", 1]);
    // What was worked off before the change counted for the stream as it was.
    expect(handled[0]![1]).toBeLessThanOrEqual(20);
    await agent.reconfigure(configOf([{ ...bearing, topic: "elsewhere" }]));
    await sensor.publish("elsewhere", tenth(0, 1000));
    await send("bearing", tenth(0, 1000));
    await sensor.publish("hall/3", tenth(0, 1000));
    await through();
    expect(agent.streams.map(({ messages }) => messages)).toEqual([1]);
    // The broker was told that hall/+ is wanted no more; below {base}/in a message without a stream is told.
    expect(agent.telemetry.count("MessageUnrouted")).toBe(3);
    expect(agent.telemetry.count("MessageDropped")).toBe(0);
  });

  it("that cannot run changes nothing, and says why", async () => {
    await start([bearing]);
    const wanted = configOf([
      { ...bearing, decisions: [{ label: "inner-race", enter: 1 }] },
      { ...bearing, name: "no", model: "none" },
    ]);
    await expect(agent.reconfigure(wanted)).rejects.toThrow("streams.no: model: expected one of tones, far, got none");
    for (let s = 0; s < 3; s++) await send("bearing", protobuf.encode!(faulty(s)));
    await through();
    expect(agent.streams.map(({ name }) => name)).toEqual(["bearing"]);
    expect(agent.store.list()).toHaveLength(1);
  });

  it("names what needs a restart, and keeps it as it is", async () => {
    await start([bearing]);
    const others = {
      chip: { seed: 7 },
      mqtt: { embeddedPort: 0, base: "elsewhere" },
      http: { listen: "127.0.0.1:0", staleSeconds: 5 },
    };
    const { needRestart } = await agent.reconfigure(configOf([bearing], others));
    expect(needRestart).toEqual(["mqtt.base", "http.listen", "chip.seed"]);
    expect(agent.config).toMatchObject({ chip: { seed: 1 }, mqtt: { base: "ohmwatch" }, http: { staleSeconds: 5 } });
  });

  it("tries a model again that was refused", async () => {
    let hasModel = false;
    const config = configOf([bearing, { ...bearing, name: "late", model: "late" }]);
    const openLate = (name: string) => openModel(name === "late" && hasModel ? "tones" : name);
    agent = await startAgent(config, { log: silent, openModel: openLate });
    sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
    expect(agent.streams[1]!.stopped).toMatch(/got late/);
    await agent.reconfigure(config);
    expect(agent.streams[1]!.stopped).toMatch(/got late/);
    hasModel = true;
    expect(await agent.reconfigure(config)).toMatchObject({ unchanged: ["bearing", "late"] });
    expect(agent.streams[1]!.stopped).toBeUndefined();
  });
});
