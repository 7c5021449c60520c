import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, it } from "vitest";
import { startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { filtersOf } from "../../../agent/mqtt/subscribe.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

it("A request to calibrate is carried out in the running agent, and what was done is told", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ohmwatch-calibrate-"));
  const model = join(directory, "tones.onnx");
  writeFileSync(model, onnxOf(toneModel()));
  const agent = await startAgent(
    configSchema.parse({
      mqtt: { embeddedPort: 0 },
      state: { directory },
      home: {},
      streams: [{ name: "bearing", pipeline: "vibration", model }],
    }),
    { log: silent },
  );
  const client = await mqtt.connectAsync(agent.brokerUrl);
  const heard = new Map<string, Record<string, unknown>[]>();
  const waiting = new Set<() => void>();
  client.on("message", (topic, payload) => {
    heard.set(topic, [...(heard.get(topic) ?? []), JSON.parse(payload.toString())]);
    for (const check of waiting) check();
  });
  const count = (topic: string, least: number): Promise<Record<string, unknown>[]> =>
    new Promise((resolve) => {
      const check = () => {
        const all = heard.get(topic) ?? [];
        if (all.length < least) return;
        waiting.delete(check);
        resolve(all);
      };
      waiting.add(check);
      check();
    });
  await agent.connection.connected;
  await agent.connection.subscribeTo(filtersOf(agent.config));
  await client.subscribeAsync(["ohmwatch/chip/+", "ohmwatch/bridge/response/+", "homeassistant/device/+/config"]);
  const [gateway] = await count("homeassistant/device/ohmwatch_gateway/config", 1);
  const { calibrate } = gateway!["cmps"] as Record<string, { command_topic: string; payload_press: string }>;
  await client.publishAsync(calibrate!.command_topic, calibrate!.payload_press);
  expect(await count("ohmwatch/bridge/response/calibrate", 1)).toEqual([{ status: "ok", data: { models: ["tones"] } }]);
  const wasAsked = ({ step }: Record<string, unknown>) => (step as { why: string }).why === "It was asked for.";
  for (let told = 1; !(await count("ohmwatch/chip/tones", told)).some(wasAsked); told++);
  await client.endAsync();
  await agent.stop();
  rmSync(directory, { recursive: true });
});
