import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { type Connection, connect } from "../../agent/mqtt/connection.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { filtersOf, subscribe } from "../../agent/mqtt/subscribe.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { startHalfOpenProxy } from "../support/half-open-proxy.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { toneModel } from "../support/tiny-models.ts";

/** `OHMWATCH_BROKER_KILLS=50 npx vitest run test/e2e/broker-faults.test.ts` is the long run. */
const brokerKills = Number(process.env["OHMWATCH_BROKER_KILLS"] ?? 5);

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const startNs = 1_700_000_000_000_000_000n;
/** A quarter of a second. */
const block = (index: number, hertz: number) =>
  codecByName("protobuf")!.encode!({
    stream: "bearing",
    startAtNs: startNs + BigInt(index) * 250_000_000n,
    sampleRateHz: rateHz,
    channels: ["acceleration"],
    samples: Float32Array.from({ length: rateHz / 4 }, (_, i) => {
      return Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
    }),
  });
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-faults-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const start = (settings: object, folder = "state"): Promise<Agent> => {
  const { graph, manifest } = toneModel();
  return startAgent(
    configSchema.parse({
      mqtt: settings,
      state: { directory: join(directory, folder) },
      streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
    }),
    { log: silent, openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }) },
  );
};

describe("Deliveries that are repeated and out of order", () => {
  it("raise the alarms that clean ones raise: same ids, same times", async () => {
    const indices = Array.from({ length: 60 }, (_, i) => i);
    const hertz = (i: number) => (i % 20 >= 10 ? 4000 : 1000);
    // Each comes three times, and neighbours change places.
    const swapped = indices.map((i) => (i % 3 === 1 ? i + 1 : i % 3 === 2 ? i - 1 : i));
    const messy = swapped.flatMap((i) => [i, i, i]).map((i, at) => (at % 7 === 3 ? swapped[Math.floor(at / 3)]! : i));
    const anomaliesOf = async (order: readonly number[], folder: string) => {
      const agent = await start({ embeddedPort: 0 }, folder);
      await agent.connection.connected;
      const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
      for (const i of order) await sensor.publish("ohmwatch/in/bearing", block(i, hertz(i)));
      await until(() => agent.streams[0]!.messages === order.length);
      await sensor.close();
      await agent.stop();
      return agent;
    };
    const list = async (order: readonly number[], folder: string) => {
      await anomaliesOf(order, folder);
      const again = await start({ embeddedPort: 0 }, folder); // reads what is on the disk
      const rows = again.store.list();
      await again.stop();
      return rows;
    };
    const clean = await list(indices, "clean");
    expect(clean.length).toBe(3);
    expect(await list(messy, "messy")).toEqual(clean);
  });
});

describe.skipIf(mosquitto === undefined)("With mosquitto (skipped where there is none)", () => {
  it(
    `a broker that is killed and back ${brokerKills} times gets every event, and is heard again each time`,
    async () => {
      const port = await freePort();
      const url = `mqtt://127.0.0.1:${port}`;
      let broker = await startMosquitto(port);
      const agent = await start({ url });
      await agent.connection.connected;
      let index = 0;
      const events = new Set<string>();
      for (let kill = 0; kill < brokerKills; kill++) {
        const listener = await mqtt.connectAsync(url);
        listener.on("error", () => {});
        listener.on("message", (_, payload) => {
          const { type, after } = JSON.parse(payload.toString());
          events.add(`${type} ${after.id}`);
        });
        await listener.subscribeAsync("ohmwatch/events", { qos: 1 });
        const sensor = await mqtt.connectAsync(url);
        sensor.on("error", () => {});
        const [stream] = agent.streams;
        const before = stream!.messages;
        // The agent subscribes when it is back; until then nobody takes this.
        while (stream!.messages === before) {
          await sensor.publishAsync("ohmwatch/in/bearing", Buffer.from(block(index, 1000)), { qos: 1 });
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (let i = 0; i < 24; i++) {
          const payload = Buffer.from(block(++index, i < 12 ? 4000 : 1000));
          await sensor.publishAsync("ohmwatch/in/bearing", payload, { qos: 1 });
        }
        index += 40; // the gap of an absence
        const ends = () => [...events].filter((event) => event.startsWith("end ")).length;
        await until(() => ends() === kill + 1);
        await sensor.endAsync(true);
        await listener.endAsync(true);
        await broker.kill();
        await until(() => !agent.connection.isConnected());
        broker = await startMosquitto(port);
        await until(() => agent.connection.isConnected());
      }
      const rows = agent.store.list();
      expect(rows).toHaveLength(brokerKills);
      for (const { id } of rows) expect([events.has(`new ${id}`), events.has(`end ${id}`)]).toEqual([true, true]);
      expect(agent.telemetry.count("BrokerConnected")).toBe(brokerKills + 1);
      await agent.idle();
      expect(agent.store.outbox.pendingCount()).toBe(0);
      await agent.stop();
      await broker.kill();
    },
    60_000 + brokerKills * 5000,
  );

  it("a slow broker, 300 ms an answer, gets all events in order, and is not taken for a dead one", async () => {
    const port = await freePort();
    const broker = await startMosquitto(port);
    const proxy = await startHalfOpenProxy(port, 300);
    const agent = await start({ url: `mqtt://127.0.0.1:${proxy.port}`, keepAliveSeconds: 1 });
    await agent.connection.connected;
    await agent.connection.subscribeTo(filtersOf(agent.config));
    const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    const events: string[] = [];
    listener.on("message", (_, payload) => {
      const { type, after } = JSON.parse(payload.toString());
      if (type !== "update") events.push(`${type} ${after.id}`);
    });
    await listener.subscribeAsync("ohmwatch/events", { qos: 1 });
    for (let i = 0; i < 72; i++) {
      await listener.publishAsync("ohmwatch/in/bearing", Buffer.from(block(i, i % 24 < 12 ? 4000 : 1000)), { qos: 1 });
    }
    await until(() => events.length === 6);
    const expected = agent.store.list().flatMap(({ id }) => [`new ${id}`, `end ${id}`]);
    expect(events).toEqual(expected);
    expect(agent.telemetry.count("BrokerLost")).toBe(0);
    await listener.endAsync();
    await agent.stop();
    await proxy.close();
    await broker.kill();
  });

  it.each([0, 1] as const)(
    "a flood for two and a half keep-alives of work keeps the keep-alive and its order: QoS %i",
    async (qos) => {
      const port = await freePort();
      const broker = await startMosquitto(port, ["max_queued_messages 0"]);
      const url = `mqtt://127.0.0.1:${port}`;
      const config = configSchema.parse({
        mqtt: { url, qos, keepAliveSeconds: 1 },
        streams: [{ name: "s", pipeline: "ecg", model: "ecg-beats", queue: { maxMessages: 16 } }],
      });
      const events: string[] = [];
      const seen: number[] = [];
      /** Works 5 ms on each, as a slow machine does. */
      const slow = ({ payload }: { payload: Uint8Array }) => {
        const end = performance.now() + 5;
        while (performance.now() < end);
        seen.push(Number(Buffer.from(payload).toString()));
      };
      const emit = ({ name }: { name: string }) => events.push(name);
      const subscription = subscribe(config, new Map([["s", slow]]), emit);
      let longest = 0;
      const connection: Connection = connect({
        url,
        mqtt: config.mqtt,
        filters: filtersOf(config),
        onMessage: (message, sender) => {
          subscription.onMessage(message, sender);
          longest = Math.max(longest, subscription.waiting("s"));
        },
        emit,
        nowNs: () => 0n,
      });
      await connection.connected;
      await connection.subscribeTo(filtersOf(config));
      const sensor = await mqtt.connectAsync(url);
      const count = 500; // two and a half seconds of work, sent at once
      for (let i = 0; i < count; i++) sensor.publish("ohmwatch/in/s", `${i}`, { qos });
      await until(() => seen.length === count);
      expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(longest).toBeLessThanOrEqual(17); // the queue, and the one whose sender waits
      expect(events.filter((name) => name !== "BrokerConnected")).toEqual([]);
      await sensor.endAsync(true);
      await connection.close();
      await broker.kill();
    },
  );
});
