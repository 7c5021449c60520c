import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import { AnomalyStore } from "../../agent/store/anomaly-store.ts";
import { attachChipStore } from "../../agent/store/chip-store.ts";
import { openForReading } from "../../agent/store/database.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { startCli } from "../support/run-cli.ts";
import { onnxOf, toneModel } from "../support/tiny-models.ts";

/** How often the agent is killed: `OHMWATCH_KILLS=100 npx vitest run test/e2e/killed.test.ts` is the long run. */
const asked = process.env["OHMWATCH_KILLS"];
const kills = asked === undefined ? undefined : Number(asked);

const rateHz = 12_000;
const blockSamples = rateHz / 4;
const beginNs = 1_700_000_000_000_000_000n;
/** Every sixth second is a fault: four windows, of which three must be seen to raise it. */
const isFaulty = (second: number): boolean => second % 6 === 4;

const block = (index: number) => {
  const hertz = isFaulty(Math.floor(index / 4)) ? 4000 : 1000;
  return {
    stream: "bearing",
    startAtNs: beginNs + BigInt(index) * 250_000_000n,
    sampleRateHz: rateHz,
    channels: ["acceleration"],
    samples: Float32Array.from({ length: blockSamples }, (_, i) => {
      const t = index * blockSamples + i;
      return Math.sin((2 * Math.PI * hertz * t) / rateHz) + Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
    }),
  };
};

/** Park and Miller 1988: the same moments at each run, as far as a clock gives them. */
const random = (() => {
  let state = 7;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
})();

/** Readings of a pump without a gap: eight seconds of them for each of the blocks above. */
const pumpBlocks = async (): Promise<(index: number) => SampleBlock> => {
  const file = fileURLToPath(new URL("../../fixtures/sensor/pump.csv", import.meta.url));
  const blocks = [...(await openRecording(file)).blocks(8)].slice(0, -1);
  return (index) => ({
    ...blocks[index % blocks.length]!,
    stream: "pump",
    startAtNs: beginNs + BigInt(index) * 8_000_000_000n,
  });
};

/** Without a crossbar, killed while it works off the first messages. */
const digital = { kills: kills ?? 4, withinMs: 150, everyMs: 0, chip: { device: "digital" }, others: [] };
/**
 * On chips that live a month a second; the pump's, whose answers are close, is worth writing each time. A block at a
 * time, as upkeep waits where messages do.
 */
const living = {
  kills: kills ?? 3,
  withinMs: 4000,
  everyMs: 20,
  chip: { clockRate: 31 * 86_400, upkeep: { tolerance: 0.0001, refuseAbove: 1 } },
  others: [{ name: "pump", pipeline: "sensor", model: "pump-anomaly" }],
};

/** On a chip that shows the same for half an hour: what is read again is as it was read. */
const calm = { ...digital, kills: kills ?? 3, chip: { ageSeconds: 86_400 } };

describe.skipIf(mosquitto === undefined)(
  "The agent, killed at random moments (skipped where there is no mosquitto)",
  () => {
    it.each([
      [`${digital.kills} times`, digital],
      [`${calm.kills} times on a chip`, calm],
      [`${living.kills} times while its chips are calibrated and written`, living],
    ])(
      "%s, misses none of the faults that it was sent, and ends every alarm",
      async (_, { kills, withinMs, everyMs, chip, others }) => {
        const directory = mkdtempSync(join(tmpdir(), "ohmwatch-killed-"));
        const port = await freePort();
        const broker = await startMosquitto(port, ["max_queued_messages 0"]);
        const model = join(directory, "tones.onnx");
        writeFileSync(model, onnxOf(toneModel()));
        const config = join(directory, "ohmwatch.yaml");
        const settings = {
          mqtt: { url: `mqtt://127.0.0.1:${port}` },
          state: { directory: join(directory, "state") },
          chip,
          streams: [{ name: "bearing", pipeline: "vibration", model }, ...others],
        };
        writeFileSync(config, JSON.stringify(settings));
        const start = async () => {
          const agent = startCli(["run", "--config", config]);
          await agent.stderrMatch(/BrokerConnected/);
          return agent;
        };
        const first = await start(); // makes the session
        const sensor = await connectPublisher(`mqtt://127.0.0.1:${port}`, "sensor", 1);
        const { default: mqtt } = await import("mqtt");
        const listener = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
        /** The last event of each anomaly, and those that ever began. */
        const told = new Map<string, string>();
        listener.on("message", (_, payload) => {
          const { type, after } = JSON.parse(payload.toString()) as { type: string; after: { id: string } };
          told.set(after.id, type);
        });
        await listener.subscribeAsync("ohmwatch/events", { qos: 1 });
        const codec = codecByName("protobuf")!;
        const pump = await pumpBlocks();
        let sent = 0;
        const send = async (blocks: number) => {
          for (const end = sent + blocks; sent < end; sent++) {
            await sensor.publish("ohmwatch/in/bearing", codec.encode!(block(sent)));
            if (everyMs === 0) continue;
            await sensor.publish("ohmwatch/in/pump", codec.encode!(pump(sent)));
            await sleep(everyMs);
          }
        };
        const recovered: string[] = [];
        let agent = first;
        for (let kill = 0; kill < kills; kill++) {
          let isAlive = true;
          const sending = (async () => {
            do await send(48);
            while (isAlive);
          })();
          await sleep(random() * withinMs);
          agent.child.kill("SIGKILL");
          const { stderr } = await agent.result;
          isAlive = false;
          recovered.push(...stderr.split("\n").filter((line) => line.includes("MessagesRecovered")));
          expect(stderr).not.toMatch(/ChipDamaged|UpkeepFailed/);
          await sending;
          agent = await start();
        }
        const chips = others.length > 0 ? attachChipStore(join(directory, "state", "chips.sqlite")) : undefined;
        const isWritten = () =>
          chips!
            .chips()
            .some(({ key }) => chips!.totals(key).some(({ kind, pulses }) => kind !== "self-test" && pulses > 0));
        while (chips && !isWritten()) {
          chips.request(); // looks that are merely due come less often the older a chip is
          await send(24);
        }
        await send(48 - (sent % 24)); // whole periods, and a healthy one at the end
        const faults = Array.from({ length: sent / 4 }, (_, second) => second).filter(isFaulty);
        const reader = openForReading(join(directory, "state", "ohmwatch.sqlite"));
        const store = new AnomalyStore(reader);
        const secondOf = (ns: bigint) => Number(ns - beginNs) / 1e9;
        const listed = () => store.list({ stream: "bearing" });
        const during = (second: number) =>
          listed().filter(({ fromNs, toNs }) => secondOf(fromNs) < second + 1 && secondOf(toNs) > second);
        const seen = () => faults.filter((second) => during(second).length > 0);
        const lastOf = (rows: ReturnType<AnomalyStore["list"]>) => secondOf(rows.at(-1)?.toNs ?? beginNs);
        while (lastOf(listed()) < faults.at(-1)!) await new Promise((resolve) => setImmediate(resolve));
        // What waits for the broker goes out at its pace, and would wait for the next start.
        while (store.outbox.pendingCount() > 0) await new Promise((resolve) => setImmediate(resolve));
        agent.child.kill("SIGTERM");
        expect((await agent.result).code).toBe(0);
        expect(seen()).toEqual(faults);
        expect(store.list().filter(({ state }) => state === "active")).toEqual([]);
        expect(reader.pragma("integrity_check", { simple: true })).toBe("ok");
        expect(recovered.length).toBeGreaterThan(0);
        const rows = store.list().map(({ id }) => id);
        while (rows.some((id) => told.get(id) !== "end")) await new Promise((resolve) => setImmediate(resolve));
        // One that a kill interrupted may be raised again by what is left of its fault. No other is there twice, but where the
        // chip that reads its windows again shows another age than when it read them: one a kill at most.
        const twice = faults.filter((second) => during(second).filter(({ state }) => state === "ended").length > 1);
        expect(twice.length).toBeLessThanOrEqual(others.length > 0 ? kills : 0);
        expect(new Set(faults.flatMap(during).map(({ id }) => id)).size).toBe(listed().length);
        expect([...told.keys()].sort()).toEqual([...rows].sort());
        expect([...told.values()].filter((type) => type !== "end")).toEqual([]);
        await listener.endAsync(true);
        reader.close();
        // The sums of all tiles are in the head: a mixture of two states throws.
        for (const { key } of chips?.chips() ?? []) expect(chips!.load(key)).toBeDefined();
        chips?.close();
        await sensor.close();
        await broker.kill();
        rmSync(directory, { recursive: true });
      },
      120_000 + (kills ?? 4) * 20_000,
    );
  },
);
