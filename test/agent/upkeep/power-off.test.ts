import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { type Agent, startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { modelBytes } from "../../../agent/models.ts";
import { connectPublisher } from "../../../agent/mqtt/publisher-client.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { attachChipStore } from "../../../agent/store/chip-store.ts";
import { parseModel } from "../../../models/load.ts";
import type { Classification, SampleBlock } from "../../../pipelines/signal.ts";
import { dataDir } from "../../support/data.ts";
import { runCli } from "../../support/run-cli.ts";
import { until } from "../../support/until.ts";

const name = "keywords-12";
const day = 86_400;
const startAtNs = 1_700_000_000_000_000_000n;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-power-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What an agent wrote to its log and what it answered, in the order in which it did. */
type Trace = (string | Classification)[];

const start = async (trace: Trace, policy: "compensate" | "full"): Promise<Agent> => {
  const say = (_: unknown, message: string): void => void trace.push(message);
  const config = configSchema.parse({
    ...{ mqtt: { embeddedPort: 0 }, state: { directory: join(directory, "state") }, chip: { upkeep: { policy } } },
    streams: [{ name: "voice", pipeline: "audio", model: name }],
  });
  return startAgent(config, {
    log: { info: say, warn: say, error: say },
    onClassification: (classification) => trace.push(classification),
  });
};

/** As if the power had gone so long before now: the agent's last word was stored then. */
const turnBack = (seconds: number): void => {
  const store = attachChipStore(join(directory, "state", "chips.sqlite"));
  const { chipSeconds, wallMs } = store.clock()!;
  store.setClock({ chipSeconds, wallMs: wallMs - 1000 * seconds });
  store.close();
};

/** An agent whose power was off for 90 days answers blocks. */
const afterNinetyDays = async (policy: "compensate" | "full", blocks: readonly SampleBlock[]) => {
  await (await start([], policy)).stop();
  turnBack(90 * day);
  const trace: Trace = [];
  const agent = await start(trace, policy);
  const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  await agent.connection.connected;
  const { encode } = codecByName("protobuf")!;
  for (const block of blocks) await sensor.publish("ohmwatch/in/voice", encode!(block));
  await until(() => agent.streams[0]!.messages === blocks.length);
  const health = agent.chips.health[0]!;
  await sensor.close();
  await agent.stop();
  return { trace, health };
};

/** Clips of a second, each by itself: two seconds of nothing between them. */
const apart = (clips: readonly SampleBlock[]): SampleBlock[] =>
  clips.map((clip, k) => {
    const samples = new Float32Array(clip.sampleRateHz);
    samples.set(clip.samples.subarray(0, clip.sampleRateHz));
    return { ...clip, stream: "voice", startAtNs: startAtNs + BigInt(3 * k) * 1_000_000_000n, samples };
  });

const firstBlock = async (file: string): Promise<SampleBlock> => [...(await openRecording(file)).blocks(1)][0]!;

describe("An agent whose power was off for 90 days", () => {
  it("says so, and calibrates its chip before the first frame is classified", async () => {
    const clip = await firstBlock(fileURLToPath(new URL("../../../fixtures/audio/keywords-ben.wav", import.meta.url)));
    const { trace, health } = await afterNinetyDays("full", apart([clip, clip]));
    const until90 = "The chips were without power for 90.00 days of their time.";
    const calibrated = /^keywords-12: calibrate\. The last calibration was (8[89]|90)\.\d days ago\./;
    const first = trace.findIndex((entry) => typeof entry !== "string");
    const before = trace.slice(0, first) as string[];
    expect(first).toBeGreaterThan(0);
    const resumed = before.indexOf(until90);
    expect(resumed).toBeGreaterThanOrEqual(0);
    expect(before.findIndex((line) => calibrated.test(line))).toBeGreaterThan(resumed);
    expect(trace.filter((entry) => typeof entry !== "string")).toHaveLength(2);
    expect(health.sinceCalibrationSeconds).toBe(0);
    // Devices are shown in steps of a fiftieth of their age, never older than they are.
    expect(health.ageSeconds).toBeLessThanOrEqual(90 * day + 60);
    expect(health.ageSeconds).toBeGreaterThan((90 * day) / 1.02);
  });

  it.skipIf(dataDir === undefined)(
    "hears spoken words exactly as well as `ohmwatch eval --age` says of that chip at that age (skipped without ../shared/data)",
    async () => {
      const { labels } = parseModel(modelBytes(name)).manifest;
      const test = join("speech-commands", "test");
      const clips: { readonly block: SampleBlock; readonly label: string }[] = [];
      for (const label of labels) {
        const files = readdirSync(join(dataDir!, test, label))
          .sort()
          .slice(0, 15);
        for (const file of files) {
          const path = join(test, label, file);
          cpSync(join(dataDir!, path), join(directory, path));
          clips.push({ block: await firstBlock(join(directory, path)), label });
        }
      }
      // What `eval` measures: the drift is compensated, nothing is written.
      const { trace, health } = await afterNinetyDays("compensate", apart(clips.map(({ block }) => block)));
      const heard = trace.filter((entry) => typeof entry !== "string").map(({ label }) => label);
      expect(heard).toHaveLength(clips.length);
      const right = heard.filter((label, k) => label === clips[k]!.label).length;

      const evaluated = await runCli(
        ...["eval", "--model", name, "--data", directory, "--age", `${health.ageSeconds}s`],
        ...["--compensation", "global", "--seeds", "1", "--json"],
      );
      const { analog, digital, samples } = JSON.parse(evaluated.stdout);
      expect(samples).toBe(clips.length);
      expect(right / clips.length).toBe(analog[0].mean);
      expect(right / clips.length).not.toBe(digital.accuracy);
    },
    120_000,
  );
});
