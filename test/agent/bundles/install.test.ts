import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { connectPublisher, type PublisherClient } from "../../../agent/mqtt/publisher-client.ts";
import { visit } from "../../../agent/mqtt/visitor.ts";
import type { Log } from "../../../agent/telemetry/events.ts";
import { parseModel } from "../../../models/load.ts";
import type { Model } from "../../../models/model.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { toneBlock } from "../../support/tones.ts";
import { keyPair, signed, tones } from "./signed.ts";

const { privateKey, publicKey } = keyPair();
const stranger = keyPair();
let directory: string;
let agent: Agent;
let sensor: PublisherClient;
let lines: string[];
/** Frames after which a model of version `later` gives what is no number. */
let soundFrames = Number.POSITIVE_INFINITY;

const log: Log = {
  info: (_, message) => void lines.push(message),
  warn: (_, message) => void lines.push(message),
  error: (_, message) => void lines.push(message),
};

const openModel = (name: string): Model => {
  const bytes = name === "tones" ? tones() : new Uint8Array(readFileSync(name));
  const { graph, manifest } = parseModel(bytes);
  const network = new DigitalNetwork(graph, { kernel: "reference" });
  if (manifest.version !== "later") return { manifest, sha256: "", network };
  let frames = 0;
  const infer: typeof network.infer = (input, output) => {
    network.infer(input, output);
    if (++frames > soundFrames) output.fill(Number.NaN);
  };
  return { manifest, sha256: "", network: { inputShape: network.inputShape, outputShape: network.outputShape, infer } };
};

const start = async (bundles: Record<string, unknown> = {}) => {
  const trustedKeys = [join(directory, "trusted.pem")];
  const config = configSchema.parse({
    mqtt: { embeddedPort: 0 },
    state: { directory: join(directory, "state") },
    bundles: { trustedKeys, shadowFrames: 12, watchFrames: 20, ...bundles },
    streams: [{ name: "bearing", pipeline: "vibration", model: "tones" }],
  });
  agent = await startAgent(config, { log, openModel });
  sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  await agent.connection.connected;
};
const ask = async (command: string, given: Record<string, unknown> = {}) => {
  const visitor = await visit({ ...agent.config.mqtt, url: agent.brokerUrl }, "test");
  const answer = await visitor.ask("ohmwatch", command, given);
  await visitor.close();
  return answer!;
};
const install = (bytes: Uint8Array) => ask("model/install", { bundle: Buffer.from(bytes).toString("base64") });
let second = 0;
/** Seconds of a tone, in blocks of one second, four windows each. */
const play = async (seconds: number, hertz: number) => {
  const end = second + seconds;
  for (; second < end; second++) {
    await sensor.publish("ohmwatch/in/bearing", codecByName("protobuf").encode!(toneBlock(second, hertz)));
  }
  while (agent.streams[0]!.messages < second) await new Promise((resolve) => setImmediate(resolve));
  await agent.idle();
};
const told = (pattern: RegExp) => lines.filter((line) => pattern.test(line));
const runs = () => [...agent.streamSet.runnersOf("tones").values()][0]!.model.manifest.version;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-install-"));
  writeFileSync(join(directory, "trusted.pem"), publicKey);
  lines = [];
  second = 0;
  soundFrames = Number.POSITIVE_INFINITY;
});
afterEach(async () => {
  await sensor.close();
  await agent.stop();
  rmSync(directory, { recursive: true });
});

describe("A bundle installed over MQTT", () => {
  it("runs along, takes over between two frames, is watched, and counts at the next start; no frame is lost", async () => {
    await start();
    await play(2, 1000);
    const answer = await install(signed(tones({ version: "2" }), privateKey));
    expect(answer).toMatchObject({
      status: "ok",
      data: { name: "tones", version: "2", vectors: 1, streams: ["bearing"] },
    });
    expect(runs()).toBe("1");
    await play(3, 1000);
    expect((await ask("model/status")).data).toMatchObject({ phase: "shadow", version: "2" });
    await play(3, 4000);
    expect(runs()).toBe("2");
    expect((await ask("model/status")).data).toMatchObject({ phase: "watch", agreement: 1 });
    await play(6, 1000);
    expect(told(/^tones 2 counts now \(100\.0 % of labels as before\)/)).toHaveLength(1);
    expect(told(/^tones 2 is installed/)).toHaveLength(1);
    expect((await ask("model/status")).data).toMatchObject({ phase: "done" });
    // Windows of both overlap at the change; of the fourteen seconds none is missing.
    const whole = Math.floor((14 * 12_000 - 4096) / 3000) + 1;
    expect(agent.streams[0]!.frames).toBeGreaterThanOrEqual(whole - 1);
    expect(agent.streams[0]!.frames).toBeLessThanOrEqual(whole + 1);
    // One fault, told once for each model that saw it, and nothing stays open.
    expect(agent.store.list().every(({ state }) => state === "ended")).toBe(true);
    expect(agent.store.list().length).toBeGreaterThanOrEqual(1);
    await sensor.close();
    await agent.stop();
    await start();
    expect(runs()).toBe("2");
  });

  it("is refused where nobody whom we trust has signed it, where it was changed, and where its vectors do not hold", async () => {
    await start();
    expect(await install(signed(tones({ version: "2" }), stranger.privateKey))).toMatchObject({
      status: "error",
      error: expect.stringMatching(/^bundle: expected a signature of [0-9a-f]{16}, got signatures of [0-9a-f]{16}$/),
    });
    const changed = signed(tones({ version: "2" }), privateKey);
    expect(await install(changed.with(changed.length - 1, 7))).toMatchObject({
      error: expect.stringMatching(/expected model\.onnx with SHA-256/),
    });
    const wrong = [{ input: Array.from({ length: 32 }, () => 0), output: [1, 0] }];
    expect(await install(signed(tones({ version: "2", testVectors: wrong }), privateKey))).toMatchObject({
      error: "bundle: tones: expected 1 of test vector 0, got 0.5 for output 0",
    });
    expect(await ask("model/install", { file: "/nowhere" })).toMatchObject({ error: expect.stringMatching(/ENOENT/) });
    expect(existsSync(join(directory, "state/models"))).toBe(false);
    expect(runs()).toBe("1");
  });

  it("is refused everywhere where no key is trusted", async () => {
    await start({ trustedKeys: [] });
    expect(await install(signed(tones({ version: "2" }), privateKey))).toMatchObject({
      error: expect.stringMatching(/expected a signature of a key that is trusted \(bundles\.trustedKeys\)/),
    });
  });

  it("never counts where it says something else than the one before", async () => {
    await start();
    await install(signed(tones({ version: "2" }, true), privateKey));
    await play(4, 1000);
    expect(
      told(/is not installed: expected the same label in 80\.0 % of frames, got 0\.0 %\. The one before counts/),
    ).toHaveLength(1);
    expect(runs()).toBe("1");
    expect(readdirSync(join(directory, "state/models/tones"))).toEqual([]);
    expect(agent.store.list()).toEqual([]); // what the new one would have raised was heard by nobody
  });

  it("goes back at once where it fails after it took over, and the one before has missed nothing", async () => {
    await start();
    soundFrames = 18; // of twelve in the shadow and the first few that count
    await install(signed(tones({ version: "later" }), privateKey));
    await play(4, 1000);
    expect(runs()).toBe("later");
    await play(6, 1000);
    expect(told(/^tones later is not installed: bearing: expected scores that are numbers, got NaN/)).toHaveLength(1);
    expect(runs()).toBe("1");
    await play(3, 4000);
    await play(2, 1000);
    expect(agent.store.list()).toMatchObject([{ kind: "inner-race", state: "ended" }]);
    expect(agent.telemetry.count("StreamFailed")).toBe(0);
    expect(readdirSync(join(directory, "state/models/tones"))).toEqual([]);
  });

  it("goes back where it raises more anomalies than the one before by too many", async () => {
    await start({ leastAgreement: 0, maxExtraAlarms: 0 });
    await install(signed(tones({ version: "2" }, true), privateKey));
    await play(4, 1000); // what is healthy is a fault to it
    expect(told(/expected at most 0 anomalies more than before, got 1/)).toHaveLength(1);
    expect(runs()).toBe("1");
  });

  it("that is still on its way when the agent ends is not installed", async () => {
    await start();
    await install(signed(tones({ version: "2" }), privateKey));
    await play(4, 1000);
    expect(runs()).toBe("2");
    await sensor.close();
    await agent.stop();
    expect(told(/tones 2 was still in its watch; it is not installed/)).toHaveLength(1);
    await start();
    expect(runs()).toBe("1");
  });
});
