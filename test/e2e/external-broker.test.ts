import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { connect } from "../../agent/mqtt/connection.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import type { Log } from "../../agent/telemetry/events.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { startHalfOpenProxy } from "../support/half-open-proxy.ts";
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
      expect(agent.store.outbox.pending(10)).toEqual([]);
      await agent.stop();
      await second.kill();
      rmSync(directory, { recursive: true });
    },
  );

  it.each(["3.1.1", "5"] as const)("gets what came while it was stopped, once: MQTT %s", async (version) => {
    const directory = mkdtempSync(join(tmpdir(), "ohmwatch-session-"));
    const port = await freePort();
    const url = `mqtt://127.0.0.1:${port}`;
    const broker = await startMosquitto(port);
    const streams = [{ name: "bearing", pipeline: "vibration", model: "tones" }];
    const config = configSchema.parse({ mqtt: { url, version }, state: { directory }, streams });
    const sensor = await connectPublisher(url, "sensor", 1);
    const send = (second: number) =>
      sensor.publish("ohmwatch/in/bearing", codecByName("protobuf")!.encode!(faulty(second)));
    const start = () => startAgent(config, { log: silent, openModel });

    const first = await start();
    for (let second = 0; first.streams[0]!.messages === 0; second++) await send(second); // until it has subscribed
    await first.idle();
    await first.stop();
    for (const second of [100, 101, 102]) await send(second);
    const next = await start();
    await until(() => next.streams[0]!.messages === 3);
    await next.stop();
    const last = await start();
    await last.connection.connected;
    await send(200);
    await until(() => last.streams[0]!.messages > 0);
    await last.idle();
    expect(last.streams[0]!.messages).toBe(1);
    await last.stop();
    await sensor.close();
    await broker.kill();
    rmSync(directory, { recursive: true });
  });

  it.each(["3.1.1", "5"] as const)(
    "speaks TLS with a certificate of its own, and refuses a broker that another authority signed: MQTT %s",
    async (version) => {
      const directory = mkdtempSync(join(tmpdir(), "ohmwatch-tls-"));
      const at = (file: string) => join(directory, file);
      for (const authority of ["ca", "stranger"]) {
        openssl(`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${authority}`, [
          ["-keyout", at(`${authority}.key`)],
          ["-out", at(`${authority}.pem`)],
        ]);
      }
      writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n");
      for (const side of ["broker", "gateway"]) {
        openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${side}`, [
          ["-keyout", at(`${side}.key`)],
          ["-out", at(`${side}.csr`)],
        ]);
        openssl("x509 -req -days 2 -CAcreateserial", [
          ["-in", at(`${side}.csr`)],
          ["-CA", at("ca.pem")],
          ["-CAkey", at("ca.key")],
          ["-extfile", at("names")],
          ["-out", at(`${side}.pem`)],
        ]);
      }
      const port = await freePort();
      const broker = await startMosquitto(port, [
        `cafile ${at("ca.pem")}`,
        `certfile ${at("broker.pem")}`,
        `keyfile ${at("broker.key")}`,
        "require_certificate true",
      ]);
      const agentTrusting = (caFile: string) =>
        startAgent(
          configSchema.parse({
            mqtt: {
              url: `mqtts://127.0.0.1:${port}`,
              version,
              tls: { caFile: at(caFile), certFile: at("gateway.pem"), keyFile: at("gateway.key") },
            },
            state: { directory },
            streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
          }),
          { log: silent, openModel },
        );
      const trusting = await agentTrusting("ca.pem");
      await trusting.connection.connected;
      await trusting.stop();
      const wary = await agentTrusting("stranger.pem");
      await until(() => wary.telemetry.count("BrokerLost") > 0);
      expect(wary.connection.isConnected()).toBe(false);
      await wary.stop();
      await broker.kill();
      rmSync(directory, { recursive: true });
    },
  );
});

const openssl = (command: string, files: readonly (readonly [string, string])[]): void => {
  const { status, stderr } = spawnSync("openssl", [...command.split(" "), ...files.flat()], { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${command}: expected exit code 0, got ${status}: ${stderr}`);
};

describe.skipIf(mosquitto === undefined)("A connection to mosquitto (skipped where there is none)", () => {
  const connectTo = (port: number, settings: Record<string, unknown>, received: string[]) => {
    const url = `mqtt://127.0.0.1:${port}`;
    const streams = [{ name: "s", pipeline: "ecg", model: "ecg-beats" }];
    const events: string[] = [];
    const connection = connect({
      url,
      mqtt: configSchema.parse({ mqtt: { url, ...settings }, streams }).mqtt,
      filters: ["in/#"],
      onMessage: ({ payload }, { handled, goOn }) => {
        received.push(Buffer.from(payload).toString());
        handled();
        goOn();
      },
      emit: ({ name }) => events.push(name),
      nowNs: () => 0n,
    });
    return { connection, events };
  };

  it.each(["3.1.1", "5"] as const)(
    "notices a half-open link and loses nothing of what came: MQTT %s",
    async (version) => {
      const port = await freePort();
      const broker = await startMosquitto(port);
      const proxy = await startHalfOpenProxy(port);
      const received: string[] = [];
      const { connection, events } = connectTo(proxy.port, { version, keepAliveSeconds: 1 }, received);
      await connection.connected;
      const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
      const send = (text: string) => sensor.publish("in/x", new TextEncoder().encode(text));
      for (let i = 0; received.length === 0; i++) await send(`before ${i}`); // until it has subscribed
      proxy.cut();
      for (const text of ["one", "two", "three"]) await send(text);
      const published = connection.publish("out", "event", { qos: 1 }); // into the silence
      await published;
      await until(() => received.includes("three"));
      expect(received.slice(-3)).toEqual(["one", "two", "three"]);
      expect(events.filter((name) => name !== "BrokerConnected")).toEqual(["BrokerLost"]);
      await connection.close();
      await sensor.close();
      await proxy.close();
      await broker.kill();
    },
  );

  it("tries again when the broker refuses it, with the password that systemd holds", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ohmwatch-credentials-"));
    const at = (file: string) => join(directory, file);
    writeFileSync(at("passwords"), "");
    spawnSync("mosquitto_passwd", ["-b", at("passwords"), "ohmwatch", "correct horse"]);
    writeFileSync(at("mqtt-password"), "correct horse\n");
    const port = await freePort();
    const closed = ["allow_anonymous false", `password_file ${at("passwords")}`];
    const strict = await startMosquitto(port, [...closed, "acl_file /dev/null"]);
    const wrong = connectTo(port, { username: "ohmwatch" }, []);
    await until(() => wrong.events.includes("BrokerLost"));
    await strict.kill();
    const open = await startMosquitto(port);
    await wrong.connection.connected;
    await wrong.connection.close();
    await open.kill();
    const guarded = await startMosquitto(port, closed);
    process.env["CREDENTIALS_DIRECTORY"] = directory;
    const right = connectTo(port, { username: "ohmwatch" }, []);
    delete process.env["CREDENTIALS_DIRECTORY"];
    await right.connection.connected;
    await right.connection.close();
    await guarded.kill();
    rmSync(directory, { recursive: true });
  });

  it("shares the messages of a topic with the others of its group, each to one of them", async () => {
    const port = await freePort();
    const broker = await startMosquitto(port);
    const gateways = ["a", "b"].map((clientId) => {
      const received: string[] = [];
      return { received, ...connectTo(port, { version: "5", clientId, shareGroup: "hall" }, received) };
    });
    for (const { connection } of gateways) await connection.connected;
    const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
    const [a, b] = gateways;
    for (let i = 0; a!.received.length === 0 || b!.received.length === 0; i++) {
      await sensor.publish("in/x", new TextEncoder().encode(`before ${i}`)); // until both have subscribed
    }
    const sent = Array.from({ length: 100 }, (_, i) => `${i}`);
    for (const text of sent) await sensor.publish("in/x", new TextEncoder().encode(text));
    const got = () => [...a!.received, ...b!.received].filter((text) => !text.startsWith("before"));
    await until(() => got().length >= sent.length);
    expect(got().sort()).toEqual([...sent].sort());
    for (const { connection } of gateways) await connection.close();
    await sensor.close();
    await broker.kill();
  });
});
