import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { startHome } from "../../../agent/home/home.ts";
import { heartRateBpm } from "../../../agent/home/stream-state.ts";
import { openModel as openFromZoo } from "../../../agent/models.ts";
import { filtersOf } from "../../../agent/mqtt/subscribe.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { toneModel } from "../../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const second = (s: number, hertz: number) => ({
  stream: "bearing",
  startAtNs: 1_700_000_000_000_000_000n + BigInt(s) * 1_000_000_000n,
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: rateHz }, (_, i) => {
    return Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
  }),
});

let directory: string;
let agent: Agent;
let client: MqttClient;
const kept = new Map<string, string>();
const counts = new Map<string, number>();
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const json = (topic: string) => JSON.parse(kept.get(topic) ?? "null");
const configTopic = (key: string) => `homeassistant/device/ohmwatch_${key}/config`;

const bearing = { name: "bearing", pipeline: "vibration", model: "tones" };
const kitchen = {
  name: "kitchen",
  pipeline: "audio",
  model: "keywords-12",
  codec: "wav",
  topic: "hermes/audioServer/kitchen/audioFrame",
};
const chest = { name: "chest", pipeline: "ecg", model: "ecg-beats" };
const configOf = (streams: readonly object[]) =>
  configSchema.parse({
    mqtt: { embeddedPort: 0 },
    state: { directory },
    chip: { device: "digital" },
    home: {},
    streams,
  });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-home-"));
  const { graph, manifest } = toneModel();
  agent = await startAgent(configOf([bearing, kitchen, chest]), {
    log: silent,
    openModel: (name, chip) =>
      name === "tones" ? { manifest, sha256: "", network: new DigitalNetwork(graph) } : openFromZoo(name, chip),
  });
  client = await mqtt.connectAsync(agent.brokerUrl);
  client.on("message", (topic, payload) => {
    kept.set(topic, payload.toString());
    counts.set(topic, (counts.get(topic) ?? 0) + 1);
  });
  await client.subscribeAsync(["homeassistant/#", "ohmwatch/bridge/#", "hermes/hotword/+/detected"]);
  await agent.connection.subscribeTo(filtersOf(agent.config)); // the broker has confirmed all
  await until(() => kept.has(configTopic("chest")) && kept.has("ohmwatch/bridge/streams/chest/availability"));
});
afterAll(async () => {
  await client.endAsync();
  await agent.stop();
  rmSync(directory, { recursive: true });
});

const publish = (topic: string, payload: Uint8Array | string) =>
  client.publishAsync(topic, Buffer.from(payload), { qos: 1 });
const sayBearing = async (from: number, to: number, hertz: number) => {
  for (let s = from; s < to; s++)
    await publish("ohmwatch/in/bearing", codecByName("protobuf")!.encode!(second(s, hertz)));
};

describe("Home Assistant", () => {
  it("discovers the agent and each stream as devices, with what it needs of each entity", () => {
    const devices = ["gateway", "bearing", "kitchen", "chest"].map((key) => json(configTopic(key)));
    for (const device of devices) {
      expect(device).toMatchObject({
        dev: { ids: [expect.any(String)], name: expect.any(String) },
        o: { name: "Ohmwatch" },
      });
      expect(device.availability[0]).toEqual({
        topic: "ohmwatch/bridge/state",
        value_template: "{{ value_json.state }}",
      });
      for (const component of Object.values<Record<string, string>>(device.cmps)) {
        expect(component).toMatchObject({
          p: expect.stringMatching(/^(sensor|binary_sensor|event|button)$/),
          unique_id: expect.any(String),
        });
        expect(component["p"] === "button" ? component["command_topic"] : component["state_topic"]).toMatch(
          /^ohmwatch\//,
        );
        if (component["p"] === "event") expect(component["event_types"]).toContain("yes");
      }
    }
    const ids = devices.flatMap((device) => Object.values<{ unique_id: string }>(device.cmps).map((c) => c.unique_id));
    expect(new Set(ids).size).toBe(ids.length);
    const [, pump, sound, heart] = devices;
    expect(pump.cmps["alarm-inner-race"]).toMatchObject({
      p: "binary_sensor",
      device_class: "vibration",
      name: "inner-race",
    });
    expect(pump.dev.via_device).toBe("ohmwatch_gateway");
    expect(Object.keys(sound.cmps)).toContain("heard");
    expect(Object.keys(sound.cmps)).not.toContain("alarm-yes");
    expect(heart.cmps["heart-rate"]).toMatchObject({ unit_of_measurement: "bpm", state_class: "measurement" });
  });

  it("finds the state of each alarm kept, raised, acknowledged by its button, and ended", async () => {
    const topic = "ohmwatch/bridge/streams/bearing/state";
    expect(kept.get("ohmwatch/bridge/streams/bearing/availability")).toBe("online");
    expect(json(topic).alarms).toEqual({ "inner-race": false });
    await sayBearing(0, 3, 4000);
    await until(() => json(topic)?.alarms["inner-race"] === true);
    expect(json(topic)).toMatchObject({ label: "inner-race", probability: expect.any(Number) });
    const { command_topic, payload_press } = json(configTopic("bearing")).cmps.acknowledge;
    await publish(command_topic, payload_press);
    await until(() => agent.store.list()[0]?.acknowledgement !== undefined);
    expect(agent.store.list()[0]?.acknowledgement?.by).toBe("Home Assistant");
    await sayBearing(3, 6, 1000);
    await until(() => json(topic)?.alarms["inner-race"] === false);
  });

  it("is told all again when it comes back", async () => {
    await client.subscribeAsync("ha2/#");
    const again = startHome(agent, { discoveryPrefix: "ha2" }, () => 0); // answers at once
    await agent.connection.subscribeTo(filtersOf(agent.config));
    const topic = "ha2/device/ohmwatch_bearing/config";
    await until(() => counts.get(topic) === 1); // told at its start
    await publish("ha2/status", "offline");
    await publish("ha2/status", "online");
    await until(() => counts.get(topic) === 2);
    again.stop();
  });

  it("forgets a stream that is gone", async () => {
    await agent.reconfigure(configOf([bearing, kitchen]));
    await until(() => kept.get(configTopic("chest")) === "");
    expect(kept.get(configTopic("kitchen"))).not.toBe("");
  });
});

describe("Hermes", () => {
  const wav = readFileSync(new URL("../../../fixtures/audio/keywords-andrea.wav", import.meta.url));
  const frame = async (from: number, to: number) => {
    for (let at = from; at < to; at += 8000) {
      const part = wav.subarray(44 + at, 44 + Math.min(to, at + 8000));
      const header = Buffer.from(wav.subarray(0, 44));
      header.writeUInt32LE(36 + part.length, 4);
      header.writeUInt32LE(part.length, 40);
      await publish("hermes/audioServer/kitchen/audioFrame", Buffer.concat([header, part]));
    }
  };
  const word = 41_600; // 1.3 s of 16 kHz and 16 bits

  it("is told of a keyword, unless its site is toggled off for any reason", async () => {
    await frame(0, 2 * word); // yes, no
    await until(() => ["yes", "no"].every((id) => kept.has(`hermes/hotword/${id}/detected`)));
    expect(json("hermes/hotword/yes/detected")).toEqual({
      modelId: "yes",
      modelVersion: expect.any(String),
      modelType: "universal",
      currentSensitivity: 0.85,
      siteId: "kitchen",
      sessionId: null,
    });
    await until(() => json("ohmwatch/bridge/streams/kitchen/heard")?.event_type === "no");
    for (const reason of ["dialogueSession", "ttsSay"]) {
      await publish("hermes/hotword/toggleOff", JSON.stringify({ siteId: "kitchen", reason }));
    }
    await publish("hermes/hotword/toggleOn", JSON.stringify({ siteId: "kitchen", reason: "ttsSay" }));
    await frame(2 * word, 5 * word); // up down left
    await until(() => json("ohmwatch/bridge/streams/kitchen/heard")?.event_type === "left");
    expect(kept.has("hermes/hotword/left/detected")).toBe(false);
    await publish("hermes/hotword/toggleOn", JSON.stringify({ siteId: "kitchen", reason: "dialogueSession" }));
    await frame(5 * word, 7 * word); // right on
    await until(() => kept.has("hermes/hotword/on/detected"));
  });
});

describe("The heart rate", () => {
  const beats = (...seconds: number[]) => seconds.map((s) => BigInt(Math.round(s * 1e9)));

  it("is by the median of the intervals: one beat missed changes nothing", () => {
    expect(heartRateBpm(beats(0, 0.8, 1.6, 2.4, 4.0, 4.8, 5.6))).toBe(75);
  });

  it("is none from fewer than four intervals, nor across a pause", () => {
    expect(heartRateBpm(beats(0, 0.8, 1.6, 2.4))).toBeNull();
    expect(heartRateBpm(beats(0, 5, 10, 15, 20, 25))).toBeNull();
  });
});
