import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import parsePrometheus from "parse-prometheus-text-format";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { type HttpServer, serveHttp } from "../../../agent/http/server.ts";
import { connectPublisher } from "../../../agent/mqtt/publisher-client.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { toneModel } from "../../support/tiny-models.ts";

const { graph, manifest } = toneModel();
const openModel = (name: string) => {
  if (name !== "tones") throw new Error(`model: expected tones, got ${name}`);
  return { manifest, sha256: "", network: new DigitalNetwork(graph, { kernel: "reference" }) };
};

let directory: string;
let agent: Agent;
let server: HttpServer | undefined;

const start = async (models: readonly string[], http: Record<string, unknown> = {}) => {
  const streams = models.map((model, i) => ({ name: `s${i}`, pipeline: "vibration", model }));
  const config = configSchema.parse({
    mqtt: { embeddedPort: 0 },
    state: { directory },
    http: { listen: "127.0.0.1:0", ...http },
    streams,
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  agent = await startAgent(config, { log, openModel });
  await agent.connection.connected;
  server = await serveHttp(agent, config.http!, "1.2.3");
};
const get = (path: string, headers: Record<string, string> = {}) => fetch(`${server!.url}${path}`, { headers });
const send = async (stream: string, payloads: readonly Uint8Array[]) => {
  const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  for (const payload of payloads) await sensor.publish(`ohmwatch/in/${stream}`, payload);
  await sensor.close();
  await agent.idle();
};
const second = (hertz: number) =>
  codecByName("protobuf").encode!({
    stream: "s0",
    startAtNs: 1_700_000_000_000_000_000n,
    sampleRateHz: 12_000,
    channels: ["acceleration"],
    samples: Float32Array.from({ length: 12_000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / 12_000)),
  });

/** Value of a metric by name and labels, as an outside parser of the format reads it. */
const metric = (text: string, name: string, labels: Record<string, string>): number | undefined => {
  const family = parsePrometheus(text).find((one) => one.name === name);
  const found = family?.metrics.find((one) => Object.entries(labels).every(([k, v]) => one.labels?.[k] === v));
  return found?.value === undefined ? undefined : Number(found.value);
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-http-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await agent.stop();
  rmSync(directory, { recursive: true });
});

describe("/metrics", () => {
  it("counts what came, what was classified, and what was refused by reason, in Prometheus's format", async () => {
    await start(["tones"]);
    await send("s0", [second(1000), Uint8Array.of(1, 2, 3), new Uint8Array()]);
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const component = "s0";
    expect(metric(text, "ohmwatch_component_received_events_total", { component })).toBe(3);
    expect(metric(text, "ohmwatch_frames_total", { component })).toBe(agent.streams[0]!.frames);
    expect(agent.streams[0]!.frames).toBeGreaterThan(0);
    const errors = { component, error_type: "PayloadRejected", stage: "receiving", reason: "empty" };
    expect(metric(text, "ohmwatch_component_errors_total", errors)).toBe(1);
    expect(metric(text, "ohmwatch_build_info", { version: "1.2.3" })).toBe(1);
    expect(metric(text, "ohmwatch_broker_connected", {})).toBe(1);
    expect(text).toMatch(/^ohmwatch_message_duration_seconds_count\{component="s0"\} 3$/m);
    // What Vector's and our own dashboards ask for by name; each with help and type, so that the outside parser has them.
    const families = new Map(parsePrometheus(text).map((family) => [family.name, family]));
    const asked = {
      component_received_events_total: "COUNTER",
      component_sent_events_total: "COUNTER",
      component_discarded_events_total: "COUNTER",
      component_errors_total: "COUNTER",
      buffer_size_events: "GAUGE",
      buffer_max_size_events: "GAUGE",
      inference_duration_seconds: "HISTOGRAM",
      window_lag_seconds: "GAUGE",
      stream_last_frame_timestamp_seconds: "GAUGE",
      stream_gap_samples_total: "COUNTER",
      late_frames_total: "COUNTER",
      alarms_active: "GAUGE",
      ready: "GAUGE",
      build_info: "GAUGE",
    };
    for (const [name, type] of Object.entries(asked)) {
      expect(families.get(`ohmwatch_${name}`), name).toMatchObject({
        type,
        help: expect.stringMatching(/^[A-Z0-9].*\.$/),
      });
    }
    expect(metric(text, "ohmwatch_component_discarded_events_total", { component, reason: "queue-full" })).toBe(0);
    expect(metric(text, "ohmwatch_buffer_max_size_events", { component })).toBe(256);
    expect(text).toMatch(
      new RegExp(`^ohmwatch_inference_duration_seconds_count\\{component="s0"\\} ${agent.streams[0]!.frames}$`, "m"),
    );
    // The sender's clock says 2023; the frame was classified now.
    const lag = metric(text, "ohmwatch_window_lag_seconds", { component })!;
    expect(lag).toBeCloseTo(Date.now() / 1000 - 1_700_000_000.6, -1);
    const names = parsePrometheus(text).map(({ name }) => name);
    expect(names.filter((name) => !/^ohmwatch_[a-z_]+$/.test(name))).toEqual([]);
  });
});

describe("/metrics in OpenMetrics", () => {
  it("is given to who asks for it, with the suffixes and the end that it demands", async () => {
    await start(["tones"]);
    await send("s0", [second(1000)]);
    const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4";
    const response = await get("/metrics", { accept });
    expect(response.headers.get("content-type")).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    const text = await response.text();
    expect(text).toMatch(/\n# EOF\n$/);
    // A counter's family has no suffix there, its sample has.
    expect(text).toMatch(/^# TYPE ohmwatch_component_received_events counter$/m);
    expect(text).toMatch(/^ohmwatch_component_received_events_total\{component="s0"\} 1$/m);
  });
});

describe("/healthz and /readyz", () => {
  it("say that all is well while the streams run and the broker is there", async () => {
    await start(["tones"]);
    expect((await get("/healthz")).status).toBe(200);
    const ready = await get("/readyz");
    const body = (await ready.json()) as { streams: Record<string, unknown> };
    expect([ready.status, body]).toMatchObject([200, { ready: true, reasons: [] }]);
    expect(body.streams["s0"]).toEqual({
      waiting: 0,
      messageAgeSeconds: null,
      frameAgeSeconds: null,
      lagSeconds: null,
      realTimeFactor: null,
    });
  });

  it("say not ready, with the reasons, where a stream has no model or its messages stay out", async () => {
    await start(["tones", "absent"], { staleSeconds: 60 });
    await send("s0", [second(1000)]);
    const response = await get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      ready: false,
      reasons: [
        "s1: expected a stream that runs, got model: expected tones, got absent",
        "s1: expected a message younger than 60 s, got none yet",
      ],
    });
    expect((await get("/healthz")).status).toBe(200);
  });
});

describe("An event", () => {
  it("leads to its evidence: the path in it gives the anomaly with its piece of signal", async () => {
    await start(["tones"]);
    await send(
      "s0",
      [second(4000), second(4000)].map((payload) => payload),
    );
    const [event] = agent.store.outbox.pending(1);
    const listed = agent.store.list()[0]!;
    const path = event === undefined ? `/evidence/${listed.id}` : JSON.parse(event.payload).after.evidence;
    expect(path).toBe(`/evidence/${listed.id}`);
    const response = await get(path);
    expect(response.status).toBe(200);
    const { id, evidence } = (await response.json()) as { id: string; evidence: Record<string, unknown> };
    expect(id).toBe(listed.id);
    expect(evidence).toMatchObject({ sampleRateHz: 12_000, channels: ["acceleration"] });
    expect((evidence["samples"] as number[]).length).toBe(agent.store.evidence(id)!.samples.length);
    expect((await get("/evidence/nobody")).status).toBe(404);
  });
});

describe("Nobody else", () => {
  it("gets an answer without the token, nor with another, where one is configured", async () => {
    const tokenFile = join(directory, "token");
    writeFileSync(tokenFile, "a-long-enough-secret\n");
    await start(["tones"], { listen: "0.0.0.0:0", tokenFile });
    const url = server!.url.replace("0.0.0.0", "127.0.0.1");
    const status = async (authorization?: string) =>
      (await fetch(`${url}/metrics`, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await status()).toBe(401);
    expect(await status("Bearer another-long-secret")).toBe(401);
    expect(await status("Bearer a-long-enough-secret")).toBe(200);
  });

  it("is let in: another address than loopback without a token is a mistake, and so is a short one", async () => {
    await expect(start(["tones"], { listen: "0.0.0.0:0" })).rejects.toThrow(
      "http.listen: expected a loopback address, or http.tokenFile beside it, got 0.0.0.0:0",
    );
    await agent.stop();
    const tokenFile = join(directory, "token");
    writeFileSync(tokenFile, "short\n");
    await expect(start(["tones"], { tokenFile })).rejects.toThrow("at least 16 letters, got 5");
  });

  it("can reach it from a page in a browser under another name (DNS rebinding)", async () => {
    await start(["tones"]);
    const { port } = new URL(server!.url);
    const ask = (host: string) =>
      new Promise<number | undefined>((resolve) => {
        httpGet({ host: "127.0.0.1", port, path: "/metrics", headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
      });
    expect(await ask("evil.example:9475")).toBe(403);
    expect(await ask(`localhost:${port}`)).toBe(200);
    expect(await ask("[::1]:1")).toBe(200);
  });

  it("can write: other methods and paths are refused", async () => {
    await start(["tones"]);
    expect((await fetch(`${server!.url}/metrics`, { method: "POST" })).status).toBe(405);
    expect((await get("/etc/passwd")).status).toBe(404);
  });
});
