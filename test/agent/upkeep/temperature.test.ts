import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../../agent/compose.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { modelBytes } from "../../../agent/models.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { openChipStore } from "../../../agent/store/chip-store.ts";
import type { AgentEvent } from "../../../agent/telemetry/events.ts";
import { lookAfter, whyNow } from "../../../agent/upkeep/care.ts";
import { plannedChip } from "../../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../../agent/upkeep/living-chip.ts";
import type { Tick } from "../../../agent/upkeep/messages.ts";
import { replayedChip } from "../../../agent/upkeep/replayed-chip.ts";
import { TemperatureFeed } from "../../../agent/upkeep/temperature.ts";
import { saveChip, Upkeep } from "../../../agent/upkeep/upkeep.ts";
import { runCli } from "../../support/run-cli.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";
import { until } from "../../support/until.ts";

const chipOf = (settings: Record<string, unknown>) => configSchema.shape.chip.parse(settings);
/** exp(0.9 eV (1 / kT₀ − 1 / kT)) between 25 °C and a temperature. */
const arrhenius = (celsius: number) => Math.exp((0.9 / 8.617333262e-5) * (1 / 298.15 - 1 / (celsius + 273.15)));

describe("The temperature of the chips", () => {
  const feedOf = (settings: Record<string, unknown>) => {
    const events: AgentEvent[] = [];
    let nowMs = 1e6;
    const feed = new TemperatureFeed(chipOf({ celsius: 30, ...settings }), {
      emit: (event) => events.push(event),
      steadyMs: () => nowMs,
    });
    const tell = (stream: string, channels: readonly string[], ...samples: number[]) => {
      const block = { stream, startAtNs: 0n, sampleRateHz: 1, channels, samples: Float32Array.from(samples) };
      feed.decoded(stream, { ok: true, blocks: [block] });
    };
    const pass = (seconds: number) => {
      nowMs += 1000 * seconds;
    };
    return { feed, tell, pass, names: () => events.map(({ name }) => name), events };
  };

  it("is the constant where none is configured, whatever comes", () => {
    const { feed, tell } = feedOf({});
    tell("pump", ["temperature"], 50);
    expect([feed.celsius, feed.source]).toEqual([30, "constant"]);
  });
  it("is the last reading of the channel, in steps of half a degree; before the first it is not known", () => {
    const { feed, tell } = feedOf({ temperature: { stream: "pump", channel: "oil" } });
    expect([feed.celsius, feed.source]).toEqual([undefined, "pump"]);
    tell("other", ["oil"], 99);
    expect(feed.celsius).toBeUndefined();
    tell("pump", ["flow", "oil"], 1, 20, 2, 40);
    expect(feed.celsius).toBe(40);
    tell("pump", ["flow", "oil"], 1, 40.4);
    expect(feed.celsius).toBe(40);
    tell("pump", ["flow", "oil"], 1, 40.5);
    expect(feed.celsius).toBe(40.5);
  });
  it.each([-127, 85.1 + 40, Number.NaN, Infinity])(
    "leaves %s out and says so; a stream of nothing else is stale",
    (bad) => {
      const { feed, tell, pass, names } = feedOf({ temperature: { topic: "cabinet", staleSeconds: 60 } });
      tell("cabinet", ["temperature"], 41);
      pass(59);
      tell("cabinet", ["temperature"], bad);
      expect(feed.celsius).toBe(41);
      expect(names()).toEqual(["ChipTemperatureDoubted"]);
      pass(1);
      expect([feed.celsius, feed.source]).toEqual([30, "constant"]);
      expect(feed.celsius).toBe(30);
      expect(names()).toEqual(["ChipTemperatureDoubted", "ChipTemperatureLost"]);
      tell("cabinet", ["temperature"], 42);
      expect([feed.celsius, feed.source]).toEqual([42, "cabinet"]);
      expect(names().at(-1)).toBe("ChipTemperatureFound");
    },
  );
  it("falls back to the constant when none ever comes", () => {
    const { feed, pass, events } = feedOf({ temperature: { topic: "cabinet", staleSeconds: 60 } });
    pass(60);
    expect(feed.celsius).toBe(30);
    expect(events).toEqual([
      {
        name: "ChipTemperatureLost",
        detail: "cabinet: no temperature for 60 s; the chips are taken to have 30 °C.",
      },
    ]);
  });
});

describe("A chip whose temperature is told", () => {
  const name = "pump-anomaly";
  const settings = chipOf({ upkeep: { policy: "compensate" } });
  const { key, plan } = plannedChip(modelBytes(name), settings);
  const hour = 3600;

  it("ages by Arrhenius' law at each temperature, conducts by it, and keeps both through a power cut", () => {
    const folder = mkdtempSync(join(tmpdir(), "ohmwatch-warm-"));
    const store = openChipStore<Knowledge>(join(folder, "chips.sqlite"));
    saveChip(store, key, new LivingChip(plan, 0), 0, [], true);
    const begin = () => {
      const upkeep = new Upkeep(store, () => {});
      upkeep.adopt({
        kind: "adopt",
        key,
        bytes: modelBytes(name),
        chip: { ...settings, upkeep: { ...settings.upkeep, policy: "none" } },
      });
      return (clockSeconds: number, celsius: number | undefined) => {
        const tick = { kind: "tick", clockSeconds, wallMs: 0, celsius, celsiusFrom: "hall", hasRoom: true, fed: [] };
        upkeep.tick(tick as Tick);
        return store.load(key)!;
      };
    };
    const tick = begin();
    tick(0, 60);
    tick(hour, 40);
    // The process ends here, and another one goes on.
    const { knowledge, state } = begin()(2 * hour, 25);
    const aged = hour * (arrhenius(60) + arrhenius(40));
    expect(knowledge.time.chipSeconds / aged).toBeCloseTo(1, 6);
    expect(knowledge.celsiusFrom).toBe("hall");
    expect(Object.values(state.arrays)[0]!.celsius).toBe(25);
    store.close();
    rmSync(folder, { recursive: true });

    const chip = new LivingChip(plan, 0);
    const { is } = chip.tiles[0]!;
    const siemens = is.conductancesAt(0);
    chip.liveTo(0, 60);
    const warm = is.conductancesAt(0);
    // Of a device written to r of g_max conduction climbs 0.2 (1 − r) + 0.02 r eV.
    const targets = is.targetsOfOutputs();
    const written = Array.from(targets.keys()).filter((d) => targets[d]! > 5e-6);
    expect(written.length).toBeGreaterThan(20);
    for (const d of written) {
      const part = Math.min(1, siemens[d]! / plan.device.gMaxSiemens);
      const energy = 0.2 * (1 - part) + 0.02 * part;
      expect(warm[d]! / siemens[d]!).toBeCloseTo(arrhenius(60) ** (energy / 0.9), 4);
    }
  });

  it("is calibrated anew where it is 5 °C warmer or colder than when it was, and then answers as before", () => {
    const chip = new LivingChip(plan, 0);
    lookAfter(chip, settings, "new");
    const young = chip.knowledge.noise!.lasting;
    chip.liveTo(10, 29.5);
    expect(whyNow(chip, settings)).toBeUndefined();
    chip.liveTo(20, 60);
    expect(whyNow(chip, settings)).toBe("It went from 25.0 °C to 60.0 °C.");
    const off = chip.look()!.noise.lasting;
    lookAfter(chip, settings, "warm");
    expect(whyNow(chip, settings)).toBeUndefined();
    expect(off).toBeGreaterThan(1.5 * young);
    expect(chip.knowledge.noise!.lasting).toBeLessThan(off);
  });

  it("follows the recording of the stream that tells it, by event time", async () => {
    const recording = await openRecording("fixtures/sensor/pump.csv", { stream: "pump" });
    const after = (temperature?: Record<string, unknown>): number => {
      let last = 0;
      const chip = chipOf({ clockRate: 10, upkeep: { policy: "compensate" }, ...(temperature && { temperature }) });
      const { follow } = replayedChip(name, chip, ({ atSeconds }) => {
        last = atSeconds;
      });
      for (const _ of follow(recording.blocks(60)));
      return last;
    };
    const [cool, warm] = [after(), after({ stream: "pump", channel: "Temperature" })];
    // 74.1 … 74.2 °C all along; the last calibration is at the latest a tenth of the age ago.
    expect(warm / cool / arrhenius(74.15)).toBeGreaterThan(0.85);
    expect(warm / cool / arrhenius(74.15)).toBeLessThan(1.2);
    expect(after({ stream: "other", channel: "Temperature" })).toBe(cool);
  });
});

describe("An agent that hears a temperature", () => {
  it("brings it to its chip, shows it, and falls back with a log line when it stops", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ohmwatch-warm-"));
    const model = join(directory, "tones.onnx");
    writeFileSync(model, onnxOf(toneModel()));
    const lines: string[] = [];
    const line = (_: Record<string, unknown>, message: string) => void lines.push(message);
    const agent = await startAgent(
      configSchema.parse({
        mqtt: { embeddedPort: 0 },
        state: { directory },
        chip: { celsius: 30, temperature: { topic: "zigbee2mqtt/cabinet", staleSeconds: 2 } },
        streams: [{ name: "bearing", pipeline: "vibration", model }],
      }),
      { log: { info: line, warn: line, error: line } },
    );
    await agent.connection.connected;
    const client = await mqtt.connectAsync(agent.brokerUrl);
    const told = JSON.stringify({ temperature: 61.2, humidity: 40, battery: 97 });
    const isWarm = () => agent.chips.health[0]!.celsiusFrom === "zigbee2mqtt/cabinet";
    const telling = setInterval(() => client.publish("zigbee2mqtt/cabinet", told), 200);
    await until(() => isWarm() && agent.chips.health[0]!.celsius > 30);
    expect(agent.chips.health[0]!.celsius).toBeCloseTo(61.2, 4);
    const { stdout } = await runCli("chip", "--state", directory);
    expect(stdout).toContain("61.2 °C by zigbee2mqtt/cabinet");
    clearInterval(telling);
    await until(() => agent.chips.health[0]!.celsius === 30);
    expect(agent.chips.health[0]!.celsiusFrom).toBe("constant");
    expect(lines).toContain("zigbee2mqtt/cabinet: no temperature for 2 s; the chips are taken to have 30 °C.");
    await client.endAsync();
    await agent.stop();
    rmSync(directory, { recursive: true });
  });
});
