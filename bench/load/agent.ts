import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAgent } from "../../agent/compose.ts";
import { configSchema } from "../../agent/config/schema.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { toneModel } from "../../test/support/tiny-models.ts";
import { busyMs, samplesEach } from "./setting.ts";

/**
 * The agent itself, with one stream: protobuf, windows of 4096 samples, spectrum, a network of one dense layer, decision,
 * store. Writes how many messages were worked off, when, and the processor time used, every 50 ms, and on `latency` at the end when each window was
 * decided. `node agent.ts PORT QOS [latency]`.
 */
const [port, qos, mode] = process.argv.slice(2) as [string, string, string?];
const { graph, manifest } = toneModel();
// Windows that do not overlap, and the least that features and network can be: how long a model takes is its own affair.
// For latency each message completes a window, so that each has a decision.
const contract = {
  ...manifest.input,
  hopSamples: mode === "latency" ? samplesEach : manifest.input.windowSamples,
  features: { ...manifest.input.features, segmentHopSamples: 1024 },
} as typeof manifest.input;
const directory = mkdtempSync(join(tmpdir(), "ohmwatch-load-"));
const config = configSchema.parse({
  mqtt: { url: `mqtt://127.0.0.1:${port}`, qos: Number(qos), clientId: `agent-${process.pid}` },
  state: { directory },
  streams: [{ name: "s", pipeline: "vibration", model: "tones", topic: "load" }],
});
const nowMs = (): number => performance.timeOrigin + performance.now();
const decisions: (readonly [string, number])[] = [];
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const agent = await startAgent(config, {
  log: quiet,
  openModel: () => ({
    manifest: { ...manifest, input: contract },
    sha256: "",
    network: new DigitalNetwork(graph, { kernel: "simd" }),
  }),
  onClassification: ({ toNs }) => {
    if (mode === "latency") decisions.push([String(toNs), nowMs()]);
  },
});
await agent.connection.connected;
await new Promise((resolve) => setTimeout(resolve, 300)); // its subscription is not awaited by `connected`
process.stdout.on("error", () => process.exit(1)); // who started it is gone
process.stdout.write("ready\n");
const timer = setInterval(() => process.stdout.write(`${agent.streams[0]!.messages} ${nowMs()} ${busyMs()}\n`), 50);
process.on("SIGTERM", async () => {
  clearInterval(timer);
  const { frames, rejected, dropped, messages } = agent.streams[0]!;
  const summary = { frames, rejected, dropped, messages, anomalies: agent.streams[0]!.anomalies, decisions };
  process.stdout.write(`summary ${JSON.stringify(summary)}\n`, async () => {
    await agent.stop();
    rmSync(directory, { recursive: true });
    process.exit(0);
  });
});
