import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { entriesOf, recordBytes, writeRecord } from "../../../agent/journal/record.ts";
import { connectPublisher } from "../../../agent/mqtt/publisher-client.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import type { Model } from "../../../models/model.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { toneModel } from "../../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;
const codec = codecByName("protobuf")!;
const beginNs = 1_700_000_000_000_000_000n;
/** A quarter of a second; blocks 16 … 19 are faulty: four windows, of which three raise the alarm. */
const block = (index: number) => ({
  stream: "bearing",
  startAtNs: beginNs + BigInt(index) * 250_000_000n,
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: rateHz / 4 }, (_, i) => {
    const hertz = index >= 16 && index < 20 ? 4000 : 1000;
    return Math.sin((2 * Math.PI * hertz * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
  }),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-recover-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = (directory: string, qos: 0 | 1 = 1): Promise<Agent> => {
  const streams = [{ name: "bearing", pipeline: "vibration", model: "tones" }];
  const config = configSchema.parse({ mqtt: { embeddedPort: 0, qos }, state: { directory }, streams });
  const { graph, manifest } = toneModel();
  return startAgent(config, {
    log: silent,
    openModel: () => ({ manifest, sha256: "", network: new DigitalNetwork(graph) }),
  });
};
const send = async (agent: Agent, from: number, to: number): Promise<void> => {
  const before = agent.streams[0]!.messages;
  await agent.connection.connected;
  const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  for (let i = from; i < to; i++) {
    await sensor.publish("ohmwatch/in/bearing", codec.encode!(block(i)));
    while (agent.streams[0]!.messages < before + i - from + 1) await new Promise((resolve) => setImmediate(resolve));
  }
  await agent.idle();
  await sensor.close();
};
/** Leave the state of an agent to another as a power cut of the process would: as it lies on the disk at this moment. */
const killed = async (agent: Agent, to: string): Promise<void> => {
  cpSync(join(folder, "first"), to, { recursive: true });
  await agent.stop();
};

describe("An agent that is killed within a fault", () => {
  it("raises the alarm that an uninterrupted one raises: same id, same time", async () => {
    const whole = await start(join(folder, "whole"));
    await send(whole, 0, 30);
    const expected = whole.store.list();
    expect(expected).toMatchObject([{ kind: "inner-race", state: "ended" }]);
    await whole.stop();

    const first = await start(join(folder, "first"));
    await send(first, 0, 18); // two windows of the fault: too few to raise it
    expect(first.store.list()).toEqual([]);
    await killed(first, join(folder, "second"));
    const second = await start(join(folder, "second"));
    expect(second.telemetry.count("MessagesRecovered", { stream: "bearing" })).toBeGreaterThan(8); // 2 s and the windows
    await send(second, 18, 30);
    expect(second.store.list()).toEqual(expected);
    await second.stop();
  });

  it("leaves nothing to take up after a clean stop, and holds no messages of QoS 0", async () => {
    const first = await start(join(folder, "first"));
    await send(first, 0, 18);
    await first.stop();
    const second = await start(join(folder, "first"), 0);
    expect(second.telemetry.count("MessagesRecovered")).toBe(0);
    await send(second, 18, 24);
    await killed(second, join(folder, "third"));
    const third = await start(join(folder, "third"));
    expect(third.telemetry.count("MessagesRecovered")).toBe(0);
    await third.stop();
  });
});

describe("What is read again after a kill", () => {
  const noisy = (): Model => {
    const { graph, manifest } = toneModel();
    const device = deviceByName("pcm-nandakumar-2019");
    const network = new AnalogNetwork(graph, { device, seed: 3, kernel: "simd", mapping: manifest.mapping });
    return { manifest, sha256: "", network };
  };
  /** Blocks of a tenth of a second, which windows of a quarter of a second apart do not begin with; streams take turns. */
  const names = ["bearing", "gear"];
  const tenth = (index: number, stream: string) => ({
    ...{ stream, startAtNs: beginNs + BigInt(index) * 100_000_000n, sampleRateHz: rateHz, channels: ["acceleration"] },
    samples: Float32Array.from({ length: rateHz / 10 }, (_, i) => {
      const t = (index * rateHz) / 10 + i;
      const hertz = index >= 40 && index < 52 ? 4000 : 1000;
      return Math.sin((2 * Math.PI * hertz * t) / rateHz) + Math.sin((t + 1) ** 2 * 12.9898) * 0.01;
    }),
  });
  /** An agent on a chip, and all that it says, by stream and time. */
  const onChip = async (directory: string) => {
    const said = new Map<string, string>();
    const streams = names.map((name) => ({ name, pipeline: "vibration", model: "tones" }));
    const config = configSchema.parse({ mqtt: { embeddedPort: 0 }, state: { directory }, streams });
    const model = noisy();
    const agent = await startAgent(config, {
      log: silent,
      openModel: () => model,
      onClassification: ({ stream, fromNs, scores }) => said.set(`${stream} ${fromNs}`, scores.join()),
    });
    const play = async (from: number, to: number): Promise<void> => {
      await agent.connection.connected;
      const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
      for (let i = from; i < to; i++) {
        for (const name of names) {
          const before = agent.streams.map(({ messages }) => messages).reduce((a, b) => a + b);
          await sensor.publish(`ohmwatch/in/${name}`, codec.encode!(tenth(i, name)));
          while (agent.streams.map(({ messages }) => messages).reduce((a, b) => a + b) === before) {
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      }
      await agent.idle();
      await sensor.close();
    };
    return { agent, model, said, play };
  };

  /** Cut the journal down to what is needed, as it is when it has grown: the last so many messages. */
  const cutDown = (file: string, count: number): void => {
    const kept = entriesOf(readFileSync(file)).slice(-count);
    const records = Buffer.alloc(kept.reduce((sum, entry) => sum + recordBytes(entry), 0));
    kept.reduce((end, entry) => writeRecord(records, end, entry), 0);
    writeFileSync(file, records);
  };

  it.each([
    [43, 62],
    [45, 61],
    [47, 60],
    [49, 59],
    [51, 58],
  ])(
    "are the windows that there were, with the read noise that they had, and so are those that follow: block %i, %i messages",
    async (at, kept) => {
      const whole = await onChip(join(folder, "whole"));
      await whole.play(0, 70);
      const expected = whole.agent.store.list();
      expect(expected).toHaveLength(2);
      await whole.agent.stop();

      const first = await onChip(join(folder, "first"));
      await first.play(0, at);
      await killed(first.agent, join(folder, "second"));
      cutDown(join(folder, "second", "journal"), kept);
      const second = await onChip(join(folder, "second"));
      await second.play(at, 70);
      expect(second.agent.telemetry.count("MessagesRecovered")).toBe(kept);
      expect(second.said.size).toBeGreaterThan(30);
      for (const [when, scores] of second.said) expect([when, scores]).toEqual([when, whole.said.get(when)]);
      expect(second.agent.store.list().map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expect(second.model.network.inference).toBe(whole.model.network.inference);
      await second.agent.stop();
    },
  );
});
