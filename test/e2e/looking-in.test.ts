import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher, type PublisherClient } from "../../agent/mqtt/publisher-client.ts";
import { freePort } from "../support/mosquitto.ts";
import { type RunningCli, runCli, startCli } from "../support/run-cli.ts";
import { onnxOf, toneModel } from "../support/tiny-models.ts";

/** What people see of an agent that runs as a process: `tap` and `support-dump`. */

const secrets = {
  brokerUser: "u5er-in-address",
  brokerPassword: "pa55 in address",
  username: "username-from-a-file",
  password: "password-in-passwordFile",
  token: "token-in-tokenFile-0123456789",
  privateKey: "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
  variable: "value-of-a-variable",
  environment: "word-in-an-override",
  comment: "old-one-in-a-comment",
};

let folder: string;
let agent: RunningCli;
let sensor: PublisherClient;
let brokerUrl: string;
const at = (name: string) => join(folder, name);

const startAtNs = 1_700_000_000_000_000_000n;
const second = (s: number, hertz: number) =>
  codecByName("protobuf").encode!({
    stream: "bearing",
    startAtNs: startAtNs + BigInt(s) * 1_000_000_000n,
    sampleRateHz: 12_000,
    channels: ["acceleration"],
    samples: Float32Array.from({ length: 12_000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / 12_000)),
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-looking-"));
  writeFileSync(at("tones.onnx"), onnxOf(toneModel()));
  const [brokerPort, httpPort] = [await freePort(), await freePort()];
  const streams = `streams: [{ name: bearing, pipeline: vibration, model: ${at("tones.onnx")} }]\n`;
  writeFileSync(
    at("hall.yaml"),
    `mqtt: { embeddedPort: ${brokerPort} }
state: { directory: ${at("state")} }
http: { listen: "127.0.0.1:${httpPort}", tokenFile: ${at("token")} }
${streams}`,
  );
  writeFileSync(at("token"), `${secrets.token}\n`);
  writeFileSync(at("user"), `${secrets.username}\n`);
  writeFileSync(at("password"), `${secrets.password}\n`);
  writeFileSync(at("key.pem"), secrets.privateKey);
  // The same agent, asked with a configuration that is full of secrets.
  writeFileSync(
    at("secrets.yaml"),
    `# password: ${secrets.comment}
mqtt:
  url: "mqtt://${secrets.brokerUser}:${encodeURIComponent(secrets.brokerPassword)}@127.0.0.1:${brokerPort}"
  username: \${file:${at("user")}}
  passwordFile: ${at("password")}
  clientId: \${GATEWAY_TOKEN}
  tls: { keyFile: ${at("key.pem")} }
state: { directory: ${at("state")} }
http: { listen: "127.0.0.1:${httpPort}", tokenFile: ${at("token")} }
${streams}`,
  );
  agent = startCli(["run", "--config", at("hall.yaml")]);
  brokerUrl = (await agent.stderrMatch(/Connected to (mqtt:\/\/[\d.]+:\d+)/))[1]!;
  await agent.stderrMatch(/are served at/);
  sensor = await connectPublisher(brokerUrl, "sensor", 1);
});
afterAll(async () => {
  await sensor.close();
  agent.child.kill("SIGTERM");
  await agent.result;
  rmSync(folder, { recursive: true });
});

describe("A tap into a stream", () => {
  it("shows blocks, classifications, payloads refused and anomalies as the running agent has them", async () => {
    const tap = startCli(["tap", "bearing", "--config", at("hall.yaml"), "--json", "--count", "21"]);
    await tap.stderrMatch(/as the agent at http/);
    await sensor.publish("ohmwatch/in/bearing", Uint8Array.of(1, 2, 3));
    for (const [s, hertz] of [1000, 4000, 4000, 1000].entries()) {
      await sensor.publish("ohmwatch/in/bearing", second(s, hertz));
    }
    const { code, stdout } = await tap.result;
    expect(code).toBe(0);
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records[0]).toMatchObject({ kind: "rejected", detail: expect.stringMatching(/expected/) });
    expect(records[1]).toEqual({
      kind: "block",
      from: "2023-11-14T22:13:20.000Z",
      seconds: 1,
      sampleRateHz: 12_000,
      channels: ["acceleration"],
      min: expect.closeTo(-1, 3),
      max: expect.closeTo(1, 3),
      rms: expect.closeTo(Math.SQRT1_2, 3),
      notFinite: 0,
    });
    const labels = records.filter(({ kind }) => kind === "classification").map(({ label }) => label);
    expect(labels).toContain("normal");
    expect(labels).toContain("inner-race");
    const changes = records.filter(({ kind }) => kind === "anomaly").map(({ type, severity }) => `${type} ${severity}`);
    expect(changes[0]).toBe("new major");
  });

  it("reads a sender's payloads from the broker where no agent answers", async () => {
    const config = at("elsewhere.yaml");
    writeFileSync(
      config,
      `mqtt: { url: "${brokerUrl}" }\nstreams: [{ name: bearing, pipeline: vibration, model: none }]\n`,
    );
    const tap = startCli(["tap", "bearing", "--config", config, "--count", "2"]);
    await tap.stderrMatch(/as it comes in on ohmwatch\/in\/bearing/);
    await sensor.publish("ohmwatch/in/bearing", second(10, 1000));
    await sensor.publish("ohmwatch/in/bearing", new Uint8Array());
    const { code, stdout } = await tap.result;
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "2023-11-14T22:13:30.000Z  block     1 s at 12000 Hz of acceleration: -1 … 1, rms 0.7071",
      expect.stringMatching(/^ {24} {2}refused {3}empty: /),
      "",
    ]);
  });

  it("names the stream that was meant, and a broker that is away", async () => {
    expect(await runCli("tap", "baering", "--config", at("hall.yaml"))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/did you mean bearing\?/),
    });
    const config = at("away.yaml");
    const port = await freePort();
    writeFileSync(
      config,
      `mqtt: { url: "mqtt://127.0.0.1:${port}" }\nstreams: [{ name: a, pipeline: ecg, model: none }]\n`,
    );
    expect(await runCli("tap", "a", "--config", config)).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/expected a broker at .* got ECONNREFUSED/),
    });
  });
});

describe("A support dump", () => {
  it("has what one who helps must know, of the agent that runs, and not one secret", async () => {
    const out = at("dump.json");
    const environment = {
      GATEWAY_TOKEN: secrets.variable,
      OHMWATCH__MQTT__USERNAME: secrets.environment,
      OHMWATCH__MQTT__URL: `mqtt://x:${secrets.environment}@127.0.0.1:1`,
    };
    const { code } = await startCli(["support-dump", "--config", at("secrets.yaml"), "--out", out], environment).result;
    expect(code).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const { readFileSync } = await import("node:fs");
    const text = readFileSync(out, "utf8");
    const dump = JSON.parse(text);
    for (const [name, secret] of Object.entries(secrets)) {
      for (const line of secret.split("\n")) {
        for (const form of [line, encodeURIComponent(line)]) expect(text.includes(form), name).toBe(false);
      }
    }
    expect(dump.configuration.files[0].text).toContain("mqtt://[removed]@127.0.0.1");
    expect(dump.configuration.environment).toHaveProperty("OHMWATCH__MQTT__URL", "mqtt://[removed]@127.0.0.1:1");
    expect(dump.program).toMatchObject({ node: process.version });
    expect(dump.agent.health.value.streams).toHaveProperty("bearing");
    expect(dump.agent.metrics).toContainEqual(expect.stringMatching(/^ohmwatch_component_received_events_total/));
    expect(dump.agent.log.map((line: string) => JSON.parse(line).event)).toContain("BrokerConnected");
    expect(dump.state.database).toMatchObject({ ok: true, value: { rows: { anomalies: 1 } } });
    expect(dump.models).toEqual([
      expect.objectContaining({ ok: true, value: expect.objectContaining({ version: "1" }) }),
    ]);
    // It never writes over what is there.
    expect((await runCli("support-dump", "--config", at("hall.yaml"), "--out", out)).code).not.toBe(0);
  });

  it("says what is wrong where the configuration does not hold", async () => {
    const config = at("bad.yaml");
    writeFileSync(config, 'mqtt: { username: "hush-hush", ulr: x }\n');
    const { code, stdout } = await runCli("support-dump", "--config", config);
    expect(code).toBe(0);
    const dump = JSON.parse(stdout);
    expect(dump.configuration.mistakes).toContainEqual(expect.stringMatching(/did you mean url\?/));
    expect(stdout).not.toContain("hush-hush");
  });
});
