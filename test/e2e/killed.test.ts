import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { AnomalyStore } from "../../agent/store/anomaly-store.ts";
import { openForReading } from "../../agent/store/database.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { startCli } from "../support/run-cli.ts";
import { onnxOf, toneModel } from "../support/tiny-models.ts";

/** How often the agent is killed: `OHMWATCH_KILLS=100 npx vitest run test/e2e/killed.test.ts` is the long run. */
const kills = Number(process.env["OHMWATCH_KILLS"] ?? 4);

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

describe.skipIf(mosquitto === undefined)(
  "The agent, killed at random moments (skipped where there is no mosquitto)",
  () => {
    it(
      `${kills} times, misses none of the faults that it was sent, and ends every alarm`,
      async () => {
        const directory = mkdtempSync(join(tmpdir(), "ohmwatch-killed-"));
        const port = await freePort();
        const broker = await startMosquitto(port, ["max_queued_messages 0"]);
        const model = join(directory, "tones.onnx");
        writeFileSync(model, onnxOf(toneModel()));
        const config = join(directory, "ohmwatch.yaml");
        const settings = {
          mqtt: { url: `mqtt://127.0.0.1:${port}` },
          state: { directory: join(directory, "state") },
          chip: { device: "digital" },
          streams: [{ name: "bearing", pipeline: "vibration", model }],
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
        let sent = 0;
        const send = async (blocks: number) => {
          for (const end = sent + blocks; sent < end; sent++) {
            await sensor.publish("ohmwatch/in/bearing", codec.encode!(block(sent)));
          }
        };
        const recovered: string[] = [];
        let agent = first;
        for (let kill = 0; kill < kills; kill++) {
          const sending = send(48);
          await new Promise((resolve) => setTimeout(resolve, random() * 150));
          agent.child.kill("SIGKILL");
          const { stderr } = await agent.result;
          recovered.push(...stderr.split("\n").filter((line) => line.includes("MessagesRecovered")));
          await sending;
          agent = await start();
        }
        await send(48 - (sent % 24)); // whole periods, and a healthy one at the end
        const faults = Array.from({ length: sent / 4 }, (_, second) => second).filter(isFaulty);
        const reader = openForReading(join(directory, "state", "ohmwatch.sqlite"));
        const store = new AnomalyStore(reader);
        const secondOf = (ns: bigint) => Number(ns - beginNs) / 1e9;
        const seen = () => {
          const rows = store.list();
          return faults.filter((second) =>
            rows.some(({ fromNs, toNs }) => secondOf(fromNs) < second + 1 && secondOf(toNs) > second),
          );
        };
        const lastOf = (rows: ReturnType<AnomalyStore["list"]>) => secondOf(rows.at(-1)?.toNs ?? beginNs);
        while (lastOf(store.list()) < faults.at(-1)!) await new Promise((resolve) => setImmediate(resolve));
        agent.child.kill("SIGTERM");
        expect((await agent.result).code).toBe(0);
        expect(seen()).toEqual(faults);
        expect(store.list().filter(({ state }) => state === "active")).toEqual([]);
        expect(reader.pragma("integrity_check", { simple: true })).toBe("ok");
        expect(recovered.length).toBeGreaterThan(0);
        const rows = store.list().map(({ id }) => id);
        while (rows.some((id) => told.get(id) !== "end")) await new Promise((resolve) => setImmediate(resolve));
        expect([...told.values()].filter((type) => type !== "end")).toEqual([]);
        await listener.endAsync(true);
        reader.close();
        await sensor.close();
        await broker.kill();
        rmSync(directory, { recursive: true });
      },
      60_000 + kills * 10_000,
    );
  },
);
