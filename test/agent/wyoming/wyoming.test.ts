import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { connectPublisher } from "../../../agent/mqtt/publisher-client.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { EventReader, eventBytes, ProtocolError } from "../../../agent/wyoming/protocol.ts";
import { freePort } from "../../support/mosquitto.ts";
import { WyomingClient } from "../../support/wyoming-client.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
/** Ten keywords in this order, one each 1.3 s: fixtures/README.md. */
const wav = readFileSync(new URL("../../../fixtures/audio/keywords-andrea.wav", import.meta.url));
const pcm = wav.subarray(44);
const words = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"];
const format = { rate: 16_000, width: 2, channels: 1 };
const chunkBytes = 2 * 1280; // 80 ms, as openWakeWord takes it

let directory: string;
let agent: Agent;
let port: number;
const configOf = (listen: string) =>
  configSchema.parse({
    mqtt: { embeddedPort: 0 },
    state: { directory },
    chip: { device: "digital" },
    wyoming: { listen },
    streams: [
      {
        name: "kitchen",
        pipeline: "audio",
        model: "keywords-12",
        codec: "wav",
        topic: "hermes/audioServer/kitchen/audioFrame",
      },
    ],
  });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-wyoming-"));
  port = await freePort();
  agent = await startAgent(configOf(`127.0.0.1:${port}`), { log: silent });
});
afterAll(async () => {
  await agent.stop();
  rmSync(directory, { recursive: true });
});

const say = (client: WyomingClient, bytes: Uint8Array) => {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    client.send("audio-chunk", { ...format, timestamp: at / 32 }, bytes.subarray(at, at + chunkBytes));
  }
};

describe("The wake-word service", () => {
  it("describes itself as Home Assistant asks for it", async () => {
    const client = await WyomingClient.connect(port);
    client.send("describe");
    const { data } = await client.next("info");
    const [service] = data["wake"] as { name: string; models: { name: string; installed: boolean }[] }[];
    expect(service!.name).toBe("ohmwatch");
    expect(service!.models.map(({ name }) => name)).toEqual(words);
    client.send("ping", { text: "hi" });
    expect((await client.next("pong")).data).toEqual({ text: "hi" });
    client.close();
  });

  it("detects spoken keywords with their time, as the same sound over MQTT does", async () => {
    const client = await WyomingClient.connect(port);
    client.send("audio-start", { ...format, timestamp: 1000 });
    say(client, pcm);
    client.send("audio-stop", { timestamp: 0 });
    client.send("ping");
    await client.next("pong"); // all before it is through
    const detections = client.heard.filter(({ type }) => type === "detection").map(({ data }) => data);
    client.close();

    await agent.connection.connected;
    await agent.connection.subscribeTo(["hermes/audioServer/kitchen/audioFrame"]);
    const satellite = await connectPublisher(agent.brokerUrl, "satellite", 1);
    const [kitchen] = agent.streams;
    let sent = 0;
    for (let at = 0; at < pcm.length; at += chunkBytes) {
      const part = pcm.subarray(at, at + chunkBytes);
      const header = Buffer.from(wav.subarray(0, 44));
      header.writeUInt32LE(36 + part.length, 4);
      header.writeUInt32LE(part.length, 40);
      await satellite.publish("hermes/audioServer/kitchen/audioFrame", Buffer.concat([header, part]));
      sent++;
    }
    while (kitchen!.messages < sent) await new Promise((resolve) => setImmediate(resolve));
    const overMqtt = agent.store.list({ stream: "kitchen" }).map(({ kind }) => kind);
    await satellite.close();
    expect(detections.map(({ name }) => name)).toEqual(overMqtt);
    // A keyword each 1.3 s; the detection comes within its slot or the next.
    expect(overMqtt.length).toBeGreaterThanOrEqual(8);
    for (const { name, timestamp } of detections) {
      const slot = words.indexOf(name as string);
      expect((timestamp as number) - 1000, `${name}`).toBeGreaterThan(slot * 1300);
      expect((timestamp as number) - 1000, `${name}`).toBeLessThan((slot + 1.5) * 1300);
    }
    const recorded = agent.store.list().filter(({ stream }) => stream.startsWith("wyoming-"));
    expect(recorded.map(({ kind }) => kind)).toEqual(overMqtt);
  });

  it("tells only of the names that were asked for, and says when it heard none of them", async () => {
    const client = await WyomingClient.connect(port);
    client.send("detect", { names: ["down"] });
    client.sendApart("audio-start", format, new Uint8Array());
    say(client, pcm.subarray(0, 32_000 * 6.5)); // five words
    client.send("audio-stop");
    expect((await client.next("detection")).data["name"]).toBe("down");
    client.send("audio-start", format);
    say(client, new Uint8Array(32_000));
    client.send("audio-stop");
    await client.next("not-detected");
    expect(client.heard).toEqual([]);
    client.close();
  });

  it.each([
    ["hello\n", 'event: expected JSON, got "hello"'],
    ['{"type":7}\n', "type: expected a word, got 7"],
    [
      '{"type":"audio-chunk","payload_length":1e9}\n',
      "payload_length: expected an integer 0 … 1048576, got 1000000000",
    ],
    [
      '{"type":"audio-start","data":{"rate":16000,"width":1,"channels":1}}\n',
      "width: expected an integer 2 … 3, got 1",
    ],
    [`${"x".repeat(70_000)}`, "header: expected a line of at most 65536 bytes, got a longer one"],
  ])("answers %s with a sentence and hangs up", async (bytes, sentence) => {
    const client = await WyomingClient.connect(port);
    client.write(bytes);
    const { ended } = client;
    expect((await client.next("error")).data["text"]).toBe(sentence);
    await ended;
  });

  it("is refused at a port that is taken, with exit code 69, and leaves nothing running", async () => {
    const config = configOf(`127.0.0.1:${port}`);
    await expect(
      startAgent({ ...config, state: { ...config.state, directory: `${directory}-2` } }, { log: silent }),
    ).rejects.toMatchObject({
      exitCode: 69,
      message: `wyoming.listen: expected an address that is free, got EADDRINUSE for 127.0.0.1:${port}`,
    });
    rmSync(`${directory}-2`, { recursive: true });
  });

  it("serves several peers at once, each with a pipeline of its own, and refuses the ninth with a sentence", async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => WyomingClient.connect(port)));
    for (const client of clients) client.send("ping");
    await Promise.all(clients.map((client) => client.next("pong")));
    const ninth = await WyomingClient.connect(port);
    expect((await ninth.next("error")).data).toEqual({
      text: "peers: expected at most 8, got one more",
      code: "too-many-peers",
    });
    const [a, b] = clients;
    for (const client of [a!, b!]) client.send("audio-start", format);
    say(a!, pcm.subarray(0, 2 * 41_600)); // yes, and what comes after it
    say(b!, pcm.subarray(41_600 - 12_800, 3 * 41_600)); // no, and a moment of room before it
    for (const client of [a!, b!]) client.send("audio-stop");
    expect([(await a!.next("detection")).data["name"], (await b!.next("detection")).data["name"]]).toEqual([
      "yes",
      "no",
    ]);
    for (const client of clients) client.close();
  });
});

describe("An event of Wyoming", () => {
  it("is read whatever the pieces that it comes in, data in the line or behind it", () => {
    const event = fc.record({
      type: fc.string({ minLength: 1 }),
      data: fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string())),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat(30), { minLength: 1 }), (events, sizes) => {
        const bytes = Buffer.concat(events.map(({ type, data }) => eventBytes(type, data)));
        const reader = new EventReader();
        const read = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = 1 + sizes[i % sizes.length]!;
          read.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(read.map(({ type, data }) => ({ type, data: { ...data } }))).toEqual(
          events.map(({ type, data }) => ({ type, data: { ...data } })),
        );
      }),
    );
  });

  it("never throws anything but a ProtocolError, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => Buffer.from(`${text}\n`)),
        ),
        (bytes) => {
          try {
            [...new EventReader().push(bytes)];
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
