import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { freePort } from "../support/mosquitto.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { onnxOf, toneModel } from "../support/tiny-models.ts";
import { toneBlock, tonesStartNs } from "../support/tones.ts";

it("People acknowledge and shelve in the database of a running agent, which publishes what they did", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-desk-"));
  const at = (name: string) => join(folder, name);
  const port = await freePort();
  writeFileSync(at("tones.onnx"), onnxOf(toneModel()));
  writeFileSync(
    at("config.yaml"),
    `mqtt: { embeddedPort: ${port} }
state: { directory: ${at("state")} }
chip: { device: digital }
streams:
  - name: bearing
    pipeline: vibration
    model: ${at("tones.onnx")}
    levels: [{ label: loud, measure: rms, above: 0.5 }]
`,
  );
  const agent = startCli(["run", "--config", at("config.yaml")]);
  await agent.stderrMatch(/BrokerConnected/);
  const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
  const { default: mqtt } = await import("mqtt");
  const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  const events: string[] = [];
  let heard = (): void => {};
  listener.on("message", (_, payload) => {
    const { type, after } = JSON.parse(payload.toString());
    events.push(`${type} ${after.kind} ${after.alarm}${after.trueLabel === null ? "" : ` ${after.trueLabel}`}`);
    heard();
  });
  await listener.subscribeAsync("ohmwatch/events");
  const until = (event: string) =>
    new Promise<void>((resolve) => {
      heard = () => events.includes(event) && resolve();
      heard();
    });
  const send = (second: number, hertz: number, amplitude: number) =>
    sensor.publish("ohmwatch/in/bearing", codecByName("protobuf")!.encode!(toneBlock(second, hertz, amplitude)));
  const anomalies = (...args: string[]) => {
    const [action = "", ...rest] = args;
    return runCli("anomalies", action, "--database", at("state/ohmwatch.sqlite"), ...rest);
  };

  await send(0, 1000, 1); // loud, but healthy
  await until("new loud active-unacknowledged");
  const id = `bearing/loud/${tonesStartNs.toString(36)}`;
  expect(await anomalies("ack", id, "--label", "hammer", "--by", "jane")).toMatchObject({
    code: 0,
    stdout: `${id}: active-acknowledged, in truth hammer\n`,
  });
  await until("acknowledge loud active-acknowledged hammer");
  expect((await anomalies("shelve", "bearing", "inner-race", "--for", "1h", "--json")).stdout).toContain('"open":0');
  for (let second = 1; second < 4; second++) await send(second, 4000, 0.1); // faulty, and quiet again
  await until("end loud normal hammer");
  expect(events.filter((event) => event.includes("inner-race"))).toEqual([]);
  expect(await anomalies("unshelve", "bearing", "inner-race")).toMatchObject({ code: 0 });
  await until("new inner-race active-unacknowledged");
  agent.child.kill("SIGTERM");
  expect((await agent.result).code).toBe(0);
  await sensor.close();
  await listener.endAsync(true);
  rmSync(folder, { recursive: true });
});
