import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { type Agent, databaseFileOf, type Surroundings, startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { connectPublisher, type PublisherClient } from "../../agent/mqtt/publisher-client.ts";
import { damagedBeside } from "../../agent/store/damaged.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { freePort, type Mosquitto, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { runCli } from "../support/run-cli.ts";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { toneModel } from "../support/tiny-models.ts";
import { toneRateHz, tonesStartNs } from "../support/tones.ts";
import { until } from "../support/until.ts";

/** How often the broker is killed: `OHMWATCH_BROKER_KILLS=50 npx vitest run test/e2e/faults.test.ts` is the long run. */
const brokerKills = Number(process.env["OHMWATCH_BROKER_KILLS"] ?? 5);

const openModel = () => {
  const { graph, manifest } = toneModel();
  return { manifest, sha256: "", network: new DigitalNetwork(graph) };
};

/** Block `number` of a tenth of a second: each even one is loud, and an anomaly of its own; each odd one is quiet. */
const blockOf = (number: number, shiftNs = 0n): SampleBlock => ({
  stream: "bearing",
  startAtNs: tonesStartNs + BigInt(number) * 100_000_000n + shiftNs,
  sampleRateHz: toneRateHz,
  channels: ["acceleration"],
  samples: Float32Array.from(
    { length: toneRateHz / 10 },
    (_, i) => (number % 2 === 0 ? 1 : 0.01) * Math.sin((2 * Math.PI * 1000 * i) / toneRateHz),
  ),
});
const idOf = (number: number, shiftNs = 0n) => `bearing/loud/${blockOf(number, shiftNs).startAtNs.toString(36)}`;
const evens = (blocks: number) => Array.from({ length: Math.ceil(blocks / 2) }, (_, i) => idOf(2 * i));

let directory: string;
let port: number;
let broker: Mosquitto;
let link: TcpProxy;
let agent: Agent;
let sensor: PublisherClient;
const protobuf = codecByName("protobuf")!;

const configOf = (more: Record<string, unknown> = {}, stream: Record<string, unknown> = {}) =>
  configSchema.parse({
    mqtt: { url: `mqtt://127.0.0.1:${link.port}`, keepAliveSeconds: 2 },
    state: { directory },
    forward: { statisticsSeconds: 0 },
    streams: [
      {
        name: "bearing",
        pipeline: "vibration",
        model: "tones",
        levels: [{ label: "loud", measure: "rms", above: 0.5, windowMs: 100 }],
        ...stream,
      },
    ],
    ...more,
  });
const start = async (surroundings: Partial<Surroundings> = {}, config = configOf()) => {
  agent = await startAgent(config, {
    log: { info: () => {}, warn: () => {}, error: () => {} },
    openModel,
    ...surroundings,
  });
  await agent.connection.connected;
};
const send = (number: number, shiftNs = 0n) =>
  sensor.publish("ohmwatch/in/bearing", protobuf.encode!(blockOf(number, shiftNs)));
const messages = () => agent.streams[0]!.messages;
/** Until the agent has subscribed: what is sent before is nobody's. */
const subscribed = async () => {
  for (let probe = 0; agent.telemetry.count("MessageUnrouted") === 0; probe++) {
    await sensor.publish("ohmwatch/in/probe", Uint8Array.of(probe));
  }
};
/** A client beside the agent that hears the events, on a connection of its own. */
const listen = async () => {
  const { default: mqtt } = await import("mqtt");
  const events: { type: string; id: string; stored: boolean }[] = [];
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  client.on("message", (_, payload) => {
    const { type, after, stored = true } = JSON.parse(payload.toString());
    events.push({ type, id: after.id, stored });
  });
  await client.subscribeAsync("ohmwatch/events", { qos: 1 });
  return { events, close: () => client.endAsync(true) };
};
/** All that was raised was told, from `new` to `end`, each alarm's events in order. */
const wholeLives = (events: readonly { type: string; id: string }[], ids: readonly string[]) => {
  for (const id of ids) {
    const types = events.filter((event) => event.id === id).map(({ type }) => type);
    expect([id, types[0], types.at(-1)]).toEqual([id, "new", "end"]);
  }
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-faults-"));
  port = await freePort();
  broker = await startMosquitto(port);
  link = await startProxy(port);
  sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
});
afterEach(async () => {
  await agent.stop();
  await sensor.close();
  await link.close();
  await broker.kill();
  rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(mosquitto === undefined)("The agent bears (skipped where there is no mosquitto)", () => {
  it(
    `a broker that is killed and comes back ${brokerKills} times`,
    async () => {
      await start();
      const heard: { type: string; id: string }[] = [];
      const perLife = 6;
      for (let life = 0; life <= brokerKills; life++) {
        const listener = await listen(); // before the agent is there: it hears all that this broker takes
        if (life > 0) await link.up();
        await until(() => agent.connection.isConnected());
        await sensor.close();
        sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
        const unrouted = agent.telemetry.count("MessageUnrouted");
        while (agent.telemetry.count("MessageUnrouted") === unrouted) {
          await sensor.publish("ohmwatch/in/probe", Uint8Array.of(1));
        }
        const before = messages();
        for (let i = 0; i < perLife; i++) await send(life * perLife + i);
        await until(() => messages() === before + perLife);
        if (life === brokerKills) await agent.idle();
        heard.push(...listener.events);
        if (life === brokerKills) {
          await until(() => listener.events.some(({ type, id }) => type === "end" && id === idOf(life * perLife + 4)));
          heard.push(...listener.events);
        } else {
          await link.down();
          await broker.kill(); // with events on their way
          heard.push(...listener.events);
          broker = await startMosquitto(port);
        }
        await listener.close();
      }
      const ids = evens((brokerKills + 1) * perLife);
      expect(agent.store.list().map(({ id }) => id)).toEqual(ids);
      wholeLives(heard, ids);
      expect(agent.store.outbox.pendingCount()).toBe(0);
    },
    60_000 + brokerKills * 10_000,
  );

  it("a link that lets twelve kilobytes a second through: all alerts come, and the connection is kept", async () => {
    link.limit(12_000);
    await start();
    await subscribed();
    const listener = await listen();
    for (let i = 0; i < 30; i++) await send(i);
    await until(() => listener.events.filter(({ type }) => type === "end").length === 15);
    wholeLives(listener.events, evens(30));
    expect(agent.telemetry.count("BrokerLost")).toBe(0);
    await listener.close();
  });

  it("deliveries twice and in another order: the anomalies are those of the blocks in order", async () => {
    await start();
    await subscribed();
    const order = Array.from({ length: 40 }, (_, i) =>
      i % 8 === 2 ? [i + 1, i] : i % 8 === 3 ? [] : i % 5 === 0 ? [i, i] : [i],
    );
    for (const i of order.flat()) await send(i);
    await until(() => messages() === order.flat().length);
    await agent.idle();
    expect(agent.store.list().map(({ id }) => id)).toEqual(evens(40));
    expect(agent.store.list({ state: "active" })).toEqual([]);
    expect(agent.telemetry.count("SamplesDropped", { reason: "repeated" })).toBe(6 * 1200);
  });

  const hour = 3_600_000;
  it.each([
    ["an hour back", -hour],
    ["an hour ahead", hour],
    ["five years ahead", 5 * 365 * 24 * hour],
  ])("this machine's clock being set %s, and its senders' too", async (_, stepMs) => {
    let nowMs = Number(tonesStartNs / 1_000_000n);
    await start({ nowMs: () => nowMs });
    await subscribed();
    for (let i = 0; i < 10; i++) await send(i);
    await until(() => messages() === 10);
    agent.desk.shelve({ stream: "bearing", kind: "inner-race", by: "jane", forMs: hour / 2 });
    nowMs += stepMs;
    const shiftNs = BigInt(stepMs) * 1_000_000n;
    for (let i = 10; i < 30; i++) await send(i, shiftNs);
    await until(() => messages() === 30);
    await until(() => agent.desk.shelves().length === 0); // housekeeping went on, and let the alarm speak
    await agent.idle();
    const ids = agent.store.list().map(({ id }) => id);
    expect(ids.filter((id) => evens(10).includes(id))).toEqual(evens(10)); // nothing was forgotten
    // A sender's clock that was set back costs the few blocks after which that is known.
    const after = Array.from({ length: 10 }, (_, i) => idOf(10 + 2 * i, shiftNs));
    expect(after.filter((id) => ids.includes(id)).length).toBeGreaterThanOrEqual(stepMs < 0 ? 7 : 10);
    expect(agent.store.list({ state: "active" })).toEqual([]);
    expect(agent.telemetry.count("BrokerLost")).toBe(0);
  });

  it("five times more than it can take: its memory stays flat, the policy is kept and so is the connection", async () => {
    const busy = () => {
      const endMs = performance.now() + 10;
      while (performance.now() < endMs);
    };
    const config = configOf({}, { queue: { maxMessages: 16, maxMegabytes: 0.2, policy: "drop-oldest" } });
    await start({ onClassification: busy }, config);
    await subscribed();
    const flood = await connectPublisher(`mqtt://127.0.0.1:${port}`, "flood", 1);
    const payload = protobuf.encode!({ ...blockOf(0), samples: new Float32Array(3 * toneRateHz) }); // 144 kB, 12 windows
    let sent = 0;
    let most = 0;
    const memory = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const before = memory();
    let largest = before;
    const endMs = performance.now() + 6000; // three keep-alives
    while (performance.now() < endMs) {
      await Promise.all(Array.from({ length: 20 }, () => flood.publish("ohmwatch/in/bearing", payload)));
      sent += 20;
      most = Math.max(most, agent.waiting("bearing"));
      largest = Math.max(largest, memory());
    }
    const dropped = () => agent.telemetry.count("MessageDropped", { reason: "queue-full" });
    await until(() => dropped() + messages() === sent); // all of it came, and was worked off or counted
    expect(most).toBeLessThanOrEqual(16);
    expect(sent / messages()).toBeGreaterThan(5);
    expect(agent.telemetry.count("BrokerLost")).toBe(0);
    // The flood itself, sender and broker's answers, lives in this process too: 20 payloads, and what V8 has not collected.
    expect((largest - before) / 2 ** 20).toBeLessThan(200);
    await flood.close();
  });

  it("a database that is damaged: kept aside, said so in the log and by the doctor, and it goes on", async () => {
    await start();
    await agent.stop();
    const file = databaseFileOf(configOf());
    writeFileSync(file, "no database at all, but as long as a header would be, and longer".repeat(10));
    await start();
    await subscribed();
    await send(0);
    await send(1);
    await until(() => messages() === 2);
    expect(agent.telemetry.count("DatabaseReplaced")).toBe(1);
    expect(agent.store.list().map(({ id }) => id)).toEqual([idOf(0)]);
    expect(damagedBeside(file)).toHaveLength(1);
    const config = join(directory, "ohmwatch.yaml");
    const { mqtt, state, streams } = configOf();
    writeFileSync(
      config,
      JSON.stringify({ mqtt: { url: mqtt.url }, state, streams: [{ ...streams[0], model: "bearing-faults" }] }),
    );
    const { stdout } = await runCli("doctor", "--config", config, "--json");
    const finding = JSON.parse(stdout).findings.find(({ check }: { check: string }) => check === "database");
    expect(finding.detail).toContain("expected no damaged database put aside");
  });
});

/** A small disk of its own, where this user may make one. */
const mountDisk = (options: string): string | undefined => {
  const disk = mkdtempSync(join(tmpdir(), "ohmwatch-disk-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]);
  if (status === 0) return disk;
  rmSync(disk, { recursive: true });
  return undefined;
};
const unmount = (disk: string): void => {
  spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
};
const probe = process.getuid?.() === 0 ? mountDisk("size=1m") : undefined;
if (probe !== undefined) unmount(probe);

describe.skipIf(mosquitto === undefined || probe === undefined)(
  "A disk of its own (skipped where this user may not mount one)",
  () => {
    it("that is full: alerts go out from memory, and all is recorded when there is room again", async () => {
      const disk = mountDisk("size=8m")!;
      await start({}, configOf({ state: { directory: join(disk, "state") } }));
      await subscribed();
      const listener = await listen();
      await send(0);
      await until(() => messages() === 1);
      // Whatever is written is too much from here on: the reserve of the database is not needed where nothing may go.
      const filler = join(disk, "filler");
      spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"]);
      for (let i = 1; i < 400; i++) await send(i);
      await until(() => messages() === 400);
      const ended = () => new Set(listener.events.filter(({ type }) => type === "end").map(({ id }) => id)).size;
      await until(() => ended() === 200); // while the disk is full
      expect(listener.events.some(({ stored }) => !stored)).toBe(true);
      expect(agent.telemetry.count("AnomalyLost")).toBe(0);
      rmSync(filler);
      await until(() => agent.recorder.held === 0);
      await agent.idle();
      expect(agent.store.get(idOf(398))).toMatchObject({ state: "ended" });
      const last = () => new Map(listener.events.map(({ id, type }) => [id, type]));
      await until(() => evens(400).every((id) => last().get(id) === "end"));
      wholeLives(listener.events, evens(400));
      expect(agent.store.list({ state: "active" })).toEqual([]);
      await listener.close();
      await agent.stop();
      unmount(disk);
    });

    it("that takes no writes is refused at the start, in a sentence, with exit code 73 or 74", async () => {
      await start();
      const disk = mountDisk("size=1m")!;
      mkdirSync(join(disk, "state"));
      spawnSync("mount", ["-o", "remount,ro", disk]);
      const config = configOf({ state: { directory: join(disk, "state") } });
      const refusal = await startAgent(config, { log: { info: () => {}, warn: () => {}, error: () => {} } }).catch(
        (e) => e,
      );
      expect(refusal.exitCode).toBeOneOf([73, 74]);
      expect(refusal.message).toMatch(/state\/ohmwatch\.sqlite: expected a database that can be opened, got /);
      unmount(disk);
    });
  },
);
