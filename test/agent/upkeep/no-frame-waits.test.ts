import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { codecByName } from "../../../agent/codecs/codec.ts";
import { startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { modelBytes } from "../../../agent/models.ts";
import { connectPublisher } from "../../../agent/mqtt/publisher-client.ts";
import { runOffline } from "../../../agent/offline.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { attachChipStore } from "../../../agent/store/chip-store.ts";
import { plannedChip } from "../../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../../agent/upkeep/living-chip.ts";
import type { Classification, SampleBlock } from "../../../pipelines/signal.ts";
import { until } from "../../support/until.ts";

const name = "keywords-12";
const startAtNs = 1_700_000_000_000_000_000n;
/** Frames that must come while upkeep works, and after the chip that it wrote has taken over. */
const [framesMeanwhile, framesAfter] = [40, 20];

/** A recording over and over, without a gap: block `k` of a second. */
const endless = async () => {
  const recording = await openRecording(fileURLToPath(new URL("../../../fixtures/audio/scene.wav", import.meta.url)));
  const seconds = [...recording.blocks(1)].slice(0, -1);
  return (k: number): SampleBlock => ({
    ...seconds[k % seconds.length]!,
    stream: "voice",
    startAtNs: startAtNs + BigInt(k) * 1_000_000_000n,
  });
};

it("No frame is lost while keywords-12 is written anew under load, and the answers after that are those of the chip as written", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ohmwatch-frames-"));
  const config = configSchema.parse({
    ...{ mqtt: { embeddedPort: 0 }, state: { directory } },
    // Four months a second of a chip whose drift nothing compensates: each look finds it worth writing.
    chip: { clockRate: 1e7, compensation: "none", upkeep: { tolerance: 0.0001, refuseAbove: 1 } },
    streams: [{ name: "voice", pipeline: "audio", model: name }],
  });
  const warnings: string[] = [];
  const warn = (_: unknown, message: string): void => void warnings.push(message);
  const seen: Classification[] = [];
  let whileAtWork = 0;
  const agent = await startAgent(config, {
    log: { info: () => {}, warn, error: warn },
    onClassification: (classification) => {
      seen.push(classification);
      if (agent.chips.isAtWork) whileAtWork++;
    },
  });
  const sensor = await connectPublisher(agent.brokerUrl, "sensor", 1);
  await agent.connection.connected;
  const { encode } = codecByName("protobuf")!;
  const blockOf = await endless();
  let sent = 0;
  const send = () => sensor.publish("ohmwatch/in/voice", encode!(blockOf(sent++)));
  const pulses = () => agent.chips.health[0]!.pulses.mean;
  const pulsesWhenNew = pulses();

  // Until each device of it has had as many pulses again as when it was new, and frames came meanwhile.
  while (pulses() < 2 * pulsesWhenNew || whileAtWork < framesMeanwhile) await send();
  agent.chips.pause();
  await until(() => !agent.chips.isAtWork);
  const statistics = agent.streams[0]!;
  await until(() => statistics.messages === sent);
  const swapped = seen.length;
  while (seen.length < swapped + framesAfter) await send();
  await until(() => statistics.messages === sent);
  await sensor.close();
  await agent.stop();
  await agent.stop(); // a second time waits for the first
  expect({ ...statistics, warnings }).toMatchObject({ rejected: 0, dropped: 0, lateBlocks: 0, warnings: [] });

  const store = attachChipStore<Knowledge>(join(directory, "chips.sqlite"));
  const { key, plan } = plannedChip(modelBytes(name), config.chip);
  const stored = store.load(key)!;
  const steps = store.steps(key, 1000);
  store.close();
  rmSync(directory, { recursive: true });
  expect(steps.filter((step) => step.pulses > 0).map(({ kind }) => kind)).toContain("chip");

  const written = new LivingChip(plan, 0, { ...stored, state: { ...stored.state, inference: 0 } });
  const expected: Classification[] = [];
  runOffline(
    Array.from({ length: sent }, (_, k) => blockOf(k)),
    { manifest: plan.manifest, sha256: "", network: written.network },
    { onClassification: (classification) => expected.push(classification) },
  );
  expect(seen.map(({ fromNs }) => fromNs)).toEqual(expected.map(({ fromNs }) => fromNs));
  const answers = (of: readonly Classification[]) => of.map(({ label, probability }) => ({ label, probability }));
  expect(answers(seen.slice(swapped))).toEqual(answers(expected.slice(swapped)));
  expect(answers(seen.slice(0, framesAfter))).not.toEqual(answers(expected.slice(0, framesAfter)));
}, 300_000);
