import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { encodePayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import oracle from "sparkplug-payload/lib/sparkplugPayloadProto.js";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { toneModel } from "../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const startMs = 1_700_000_000_000;
const second = (s: number, hertz: number) =>
  Buffer.from(
    codecByName("protobuf")!.encode!({
      stream: "bearing",
      startAtNs: BigInt(startMs + s * 1000) * 1_000_000n,
      sampleRateHz: rateHz,
      channels: ["acceleration"],
      samples: Float32Array.from({ length: rateHz }, (_, i) => {
        return Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
      }),
    }),
  );
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

const { Payload } = oracle.org.eclipse.tahu.protobuf;

const valueIn = (metric: object): unknown => Object.entries(metric).find(([field]) => field.endsWith("Value"))?.[1];

/** A host application: reads with sparkplug-payload, and holds the node to the rules of seq, bdSeq and aliases. */
class Host {
  readonly #client: MqttClient;
  readonly said: { kind: string; metrics: { name: string; value: unknown; atMs: number; isHistorical: boolean }[] }[] =
    [];
  readonly #names = new Map<number, string>();
  #seq = -1;
  #bdSeq: number | undefined;
  readonly broken: string[] = [];

  constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (topic, payload, { qos, retain }) => {
      const address = topic.split("/").slice(2).join("/");
      const isCommand = address.startsWith("NCMD");
      this.#check(
        isCommand || (qos === (address.startsWith("NDEATH") ? 1 : 0) && !retain),
        `${address}: QoS ${qos}, retain ${retain}`,
      );
      this.#take(address, payload);
    });
  }

  state(online: boolean, timestamp: number): Promise<unknown> {
    const state = JSON.stringify({ online, timestamp });
    return this.#client.publishAsync("spBv1.0/STATE/scada", state, { qos: 1, retain: true });
  }

  askForBirth(): Promise<unknown> {
    const metrics = [{ name: "Node Control/Rebirth", type: "Boolean" as const, value: true }];
    return this.#client.publishAsync(
      "spBv1.0/hall/NCMD/gate",
      Buffer.from(encodePayload({ timestamp: startMs, metrics })),
    );
  }

  #take(address: string, payload: Uint8Array): void {
    const [kind, , device] = address.split("/") as [string, string, string | undefined];
    if (kind === "NCMD") return;
    // Its own reader gives no value without a datatype, which DATA leaves out; its protobuf does.
    const { seq, metrics } = Payload.decode(payload);
    if (kind === "NDEATH")
      this.#check(Number(metrics[0]!.longValue) === this.#bdSeq, "NDEATH has the bdSeq of the birth");
    else
      this.#check(
        Number(seq) === (kind === "NBIRTH" ? 0 : (this.#seq + 1) % 256),
        `seq ${seq} of ${kind} follows ${this.#seq}`,
      );
    this.#seq = Number(seq);
    if (kind === "NBIRTH") {
      this.#names.clear();
      this.#bdSeq = Number(metrics.find(({ name }) => name === "bdSeq")!.longValue);
    }
    const read = metrics.map((metric) => {
      const { name, alias, timestamp, isHistorical } = metric;
      if (name && Object.hasOwn(metric, "alias")) {
        this.#check(!this.#names.has(Number(alias)), `alias ${alias} is unique`);
        this.#names.set(Number(alias), `${device ?? ""}:${name}`);
      }
      const known = name || this.#names.get(Number(alias))?.split(":")[1];
      this.#check(known !== undefined, `alias ${alias} was born`);
      const value = metric.isNull ? null : valueIn(metric);
      return { name: known ?? "", value, atMs: Number(timestamp) - startMs, isHistorical: isHistorical ?? false };
    });
    this.said.push({ kind: device === undefined ? kind : `${kind} ${device}`, metrics: read });
  }

  #check(holds: boolean, rule: string): void {
    if (!holds) this.broken.push(rule);
  }

  get kinds(): string[] {
    return this.said.map(({ kind }) => kind);
  }

  /** bdSeq of the last birth. */
  get bdSeq(): number | undefined {
    return this.#bdSeq;
  }

  /** Alarm changes that were told as history, in order. */
  get history(): [number, unknown][] {
    return this.said.flatMap(({ metrics }) =>
      metrics.filter((m) => m.isHistorical).map((m) => [m.atMs, m.value] as [number, unknown]),
    );
  }
}

describe.skipIf(mosquitto === undefined)("The agent as an edge node at mosquitto (skipped where there is none)", () => {
  it.each(["3.1.1", "5"] as const)(
    "keeps to Sparkplug B through births, deaths and absences of its host: MQTT %s",
    async (version) => {
      const directory = mkdtempSync(join(tmpdir(), "ohmwatch-edge-"));
      const port = await freePort();
      const url = `mqtt://127.0.0.1:${port}`;
      const broker = await startMosquitto(port);
      const client = await mqtt.connectAsync(url);
      const host = new Host(client);
      await client.subscribeAsync("spBv1.0/hall/#", { qos: 1 });
      const { graph, manifest } = toneModel();
      const start = () =>
        startAgent(
          configSchema.parse({
            mqtt: { url, version },
            state: { directory },
            sparkplug: { group: "hall", edgeNode: "gate", primaryHost: "scada" },
            streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
          }),
          { log: silent, openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }) },
        );
      const agent = await start();
      await agent.connection.connected;
      let sent = 0;
      /** Three seconds of fault and three without. */
      const fault = async () => {
        const before = agent.store.list({ state: "ended" }).length;
        for (const hertz of [4000, 4000, 4000, 1000, 1000, 1000]) {
          await client.publishAsync("ohmwatch/in/bearing", second(sent++, hertz), { qos: 1 });
        }
        await until(() => agent.store.list({ state: "ended" }).length > before);
      };

      await fault();
      expect(host.said).toEqual([]); // the host is away

      await host.state(true, 1000);
      await until(() => host.history.length === 2);
      expect(host.kinds).toEqual(["NBIRTH", "DBIRTH bearing", "DDATA bearing"]);
      const [anomaly] = agent.store.list();
      const edges = [anomaly!.fromNs, anomaly!.toNs].map((ns) => Number(ns / 1_000_000n) - startMs);
      expect(host.history).toEqual([
        [edges[0], true],
        [edges[1], false],
      ]);
      expect(host.said[1]!.metrics.map(({ name, value }) => [name, value])).toEqual([
        ["Label", "normal"],
        ["Probability", expect.any(Number)],
        ["Alarm/inner-race", false],
        ["Alarm/inner-race/Peak Score", null],
      ]);

      host.said.length = 0;
      await fault();
      const alarm = () => host.said.flatMap(({ metrics }) => metrics.filter(({ name }) => name === "Alarm/inner-race"));
      await until(() => alarm().length === 2);
      expect(alarm().map(({ value, isHistorical }) => [value, isHistorical])).toEqual([
        [true, false],
        [false, false],
      ]);

      host.said.length = 0;
      await host.askForBirth();
      await until(() => host.said.length >= 2);
      expect(host.kinds).toEqual(["NBIRTH", "DBIRTH bearing"]); // no death, and no history twice
      expect(host.bdSeq).toBe(0);

      host.said.length = 0;
      await host.state(false, 2000);
      await until(() => host.kinds.includes("NDEATH"));
      await fault();
      expect(host.kinds).toEqual(["NDEATH"]);
      await host.state(false, 2500);
      await host.state(true, 3000);
      await until(() => host.history.length === 2);
      expect(host.kinds).toEqual(["NDEATH", "NBIRTH", "DBIRTH bearing", "DDATA bearing"]);
      expect(host.bdSeq).toBe(1);

      // Another client takes its place: the broker says its will.
      host.said.length = 0;
      const thief = await mqtt.connectAsync(url, { clientId: "ohmwatch-sparkplug", reconnectPeriod: 0 });
      await until(() => host.kinds.length >= 3);
      expect(host.kinds.slice(0, 3)).toEqual(["NDEATH", "NBIRTH", "DBIRTH bearing"]);
      expect(host.bdSeq).toBe(2);
      await thief.endAsync(true);

      host.said.length = 0;
      await agent.stop();
      await until(() => host.kinds.includes("NDEATH"));
      host.said.length = 0;
      const next = await start(); // what was told before the stop is not told again
      await until(() => host.kinds.length === 2);
      await next.stop();
      await until(() => host.kinds.length === 3);
      expect(host.kinds).toEqual(["NBIRTH", "DBIRTH bearing", "NDEATH"]);
      expect(host.broken).toEqual([]);
      await client.endAsync();
      await broker.kill();
      rmSync(directory, { recursive: true });
    },
    30_000,
  );
});
