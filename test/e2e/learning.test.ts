import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { fan, fanModel, fault, healthy } from "../support/fan-model.ts";
import { freePort } from "../support/mosquitto.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { onnxOf } from "../support/tiny-models.ts";

it("A model learns in the running agent from what people said of its alarms, shows it, and forgets when it is asked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-learning-"));
  const at = (name: string) => join(folder, name);
  const port = await freePort();
  writeFileSync(at("tones.onnx"), onnxOf(fanModel()));
  writeFileSync(
    at("config.yaml"),
    `mqtt: { embeddedPort: ${port} }
state: { directory: ${at("state")} }
chip: { learning: { policy: labels, minimum: 8 } }
streams: [{ name: bearing, pipeline: vibration, model: ${at("tones.onnx")} }]
`,
  );
  const agent = startCli(["run", "--config", at("config.yaml")]);
  await agent.stderrMatch(/BrokerConnected/);
  const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
  const { default: mqtt } = await import("mqtt");
  const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  const ended: string[] = [];
  const steps: string[] = [];
  let look = (): void => {};
  listener.on("message", (topic, payload) => {
    const told = JSON.parse(payload.toString());
    if (topic === "ohmwatch/chip/tones") steps.push(told.step.kind);
    else if (told.type === "end") ended.push(told.after.id);
    look();
  });
  await listener.subscribeAsync(["ohmwatch/events", "ohmwatch/chip/tones"]);
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => holds() && resolve();
      look();
    });
  let second = 0;
  const play = async (sound: (at: number) => SampleBlock, seconds: number): Promise<void> => {
    for (let n = 0; n < seconds; n++) {
      await sensor.publish("ohmwatch/in/bearing", codecByName("protobuf")!.encode!(sound(second++)));
    }
  };
  /** Two seconds of a sound between healthy ones, over and over; of what was raised the ids. */
  const alarmsOf = async (sound: (at: number) => SampleBlock, times: number, expected: number) => {
    const before = ended.length;
    for (let n = 0; n < times; n++) {
      await play(sound, 3);
      await play(healthy, 3);
    }
    if (expected === 0) {
      // A fault behind it is told last.
      await play(fault, 3);
      await play(healthy, 3);
    }
    await until(() => ended.length >= before + Math.max(1, expected));
    return ended.slice(before);
  };
  const chip = async (...args: string[]) => runCli("chip", "--state", at("state"), ...args);

  await play(healthy, 3);
  const alarms = await alarmsOf(fan, 8, 8);
  expect(alarms).toHaveLength(8);
  // A slip, mended below.
  await runCli("anomalies", "ack", "--database", at("state/ohmwatch.sqlite"), alarms[0]!, "--label", "hammer");
  await agent.stderrMatch(/expected a label of tones \(normal, inner-race\) to learn from, got hammer/);
  const acknowledged = await runCli(
    ...["anomalies", "ack", "--database", at("state/ohmwatch.sqlite"), ...alarms, "--label", "normal", "--by", "jane"],
  );
  expect(acknowledged.code).toBe(0);
  await until(() => steps.includes("learn"));

  const { stdout } = await chip("--steps", "100");
  expect(stdout).toMatch(/its last layer is another than it was trained to/);
  expect(stdout).toMatch(
    /learn +\d+ reads, \d+ pulses, .*J\. 8 anomalies were labelled\. Of the labelled ones 0\.0 % were right before, 100\.0 % are now; .* of what is kept from before/,
  );
  // The fan is no fault any more; a fault is.
  expect(await alarmsOf(fan, 2, 0)).toHaveLength(1);

  expect(await chip("--forget", "tones")).toMatchObject({
    code: 0,
    stderr: "tones: the chip is as it was trained again.\n",
  });
  expect(await chip("--forget", "tones")).toMatchObject({ code: 0, stderr: "tones: the chip is as it was trained.\n" });
  expect(await chip("--forget", "other")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\(tones\), got other/),
  });
  expect(await alarmsOf(fan, 2, 2)).toHaveLength(2);
  const { steps: taken, hasLearned } = JSON.parse((await chip("--json", "--steps", "100")).stdout);
  expect(hasLearned).toBe(false);
  // Between them the chip is looked after as ever.
  const kinds = taken.map(({ kind }: { kind: string }) => kind);
  expect(kinds.filter((kind: string) => ["learn", "forget"].includes(kind))).toEqual(["learn", "forget"]);

  await sensor.close();
  await listener.endAsync();
  agent.child.kill("SIGTERM");
  expect(await agent.result).toMatchObject({ code: 0 });
  rmSync(folder, { recursive: true });
}, 120_000);
