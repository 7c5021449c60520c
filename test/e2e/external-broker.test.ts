import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { toneModel } from "../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const rateHz = 12_000;

const faulty = (second: number): SampleBlock => ({
  stream: "bearing",
  startAtNs: 1_700_000_000_000_000_000n + BigInt(second) * 1_000_000_000n,
  sampleRateHz: rateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: rateHz }, (_, i) => {
    return Math.sin((2 * Math.PI * 4000 * i) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
  }),
});

const openModel = () => {
  const { graph, manifest } = toneModel();
  return { manifest, sha256: "", network: new DigitalNetwork(graph) };
};

/** Wait for something that is bound to come, giving way to input and output meanwhile. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe.skipIf(mosquitto === undefined)("The agent with a mosquitto of its own (skipped where there is none)", () => {
  it.each(["3.1.1", "5"] as const)(
    "starts before the broker, survives its death, publishes what waited: MQTT %s",
    async (version) => {
      const directory = mkdtempSync(join(tmpdir(), "ohmwatch-broker-"));
      const port = await freePort();
      const url = `mqtt://127.0.0.1:${port}`;
      const config = configSchema.parse({
        mqtt: { url, version },
        state: { directory },
        streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
      });
      const agent = await startAgent(config, { log: silent, openModel });
      await until(() => agent.telemetry.count("BrokerLost") > 0); // it is not there yet, and that is no error
      const protobuf = codecByName("protobuf")!;
      const send = async (seconds: readonly number[]) => {
        const sensor = await connectPublisher(url, "sensor", 1);
        for (const second of seconds) await sensor.publish("ohmwatch/in/bearing", protobuf.encode!(faulty(second)));
        await sensor.close();
      };
      const [stream] = agent.streams;

      const first = await startMosquitto(port);
      await agent.connection.connected;
      await until(() => agent.connection.isConnected());
      await send([0]);
      await until(() => stream!.messages === 1);
      await first.kill();
      await until(() => !agent.connection.isConnected());

      const second = await startMosquitto(port);
      const connections = agent.telemetry.count("BrokerConnected");
      await until(() => agent.telemetry.count("BrokerConnected") > connections);
      await send([1, 2, 3]);
      await until(() => stream!.messages === 4);
      await agent.idle();
      expect(agent.store.list()).toMatchObject([{ kind: "inner-race", state: "active" }]);
      expect(agent.store.pending(10)).toEqual([]);
      await agent.stop();
      await second.kill();
      rmSync(directory, { recursive: true });
    },
  );
});
