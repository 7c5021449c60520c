import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Config, configSchema } from "../../../agent/config/schema.ts";
import { modelBytes } from "../../../agent/models.ts";
import type { UpkeepStep } from "../../../agent/store/chip-record.ts";
import { openChipStore } from "../../../agent/store/chip-store.ts";
import type { AgentEvent } from "../../../agent/telemetry/events.ts";
import { ChipBank } from "../../../agent/upkeep/chip-bank.ts";
import { type Knowledge, shownAt } from "../../../agent/upkeep/living-chip.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import type { Network } from "../../../models/network/network.ts";

const name = "pump-anomaly";
const { graph, manifest } = parseModel(modelBytes(name));
const input = Float32Array.from(manifest.testVectors[0]!.input, (code) => code * manifest.input.scale);
const day = 86_400;
const noon = Date.UTC(2026, 10, 25, 12);

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-chips-"));
  file = join(folder, "chips.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A machine whose clocks a test turns, and agents on it. */
const machine = (settings: Record<string, unknown> = {}) => {
  const chip: Config["chip"] = configSchema.shape.chip.parse({ upkeep: { policy: "compensate" }, ...settings });
  let wallMs = noon;
  const start = (onStep: (step: UpkeepStep) => void = () => {}) => {
    const events: AgentEvent[] = [];
    const bank = new ChipBank({
      ...{ file, chip, hasRoom: () => true },
      emit: (event) => events.push(event),
      time: { wallMs: () => wallMs, steadyMs: () => wallMs },
      onStep: (_, step) => onStep(step),
    });
    const open = () => bank.openModel(name, chip).network;
    return { bank, events, open, named: (event: string) => events.filter((e) => e.name === event) };
  };
  return {
    chip,
    start,
    pass: (seconds: number) => {
      wallMs += 1000 * seconds;
    },
  };
};
const answers = (network: Network, count: number): Float32Array[] =>
  Array.from({ length: count }, () => {
    const output = new Float32Array(input.length);
    network.infer(input, output);
    return output;
  });

describe("A chip through a restart", () => {
  it("gives the bits of a chip that was never stopped and of the same age, read noise and all", async () => {
    const { start, pass, chip } = machine();
    const first = start();
    answers(first.open(), 5);
    await first.bank.stop();
    pass(3600);
    const second = start();
    const seen = answers(second.open(), 3);
    await second.bank.stop();

    const { seed, kernel, compensation } = chip;
    const device = deviceByName(chip.device);
    const never = new AnalogNetwork(graph, { device, seed, kernel, mapping: manifest.mapping });
    never.ageTo(shownAt(3600, 0));
    never.calibrate(compensation);
    never.restartNoise(5);
    expect(seen).toEqual(answers(never, 3));
    never.ageTo(0);
    never.restartNoise(5);
    expect(seen).not.toEqual(answers(never, 3));
  });

  it("is the one that `eval` measures, at every age that it shows", async () => {
    const { start, pass, chip } = machine({ clockRate: 1000 });
    const never = new AnalogNetwork(graph, {
      ...{ device: deviceByName(chip.device), seed: chip.seed, kernel: chip.kernel, mapping: manifest.mapping },
    });
    for (const seconds of [0, 60, 3600, 50_000]) {
      pass(seconds);
      const { bank, open } = start();
      const seen = answers(open(), 4);
      const { ageSeconds } = bank.health[0]!;
      never.ageTo(ageSeconds);
      never.calibrate(chip.compensation);
      expect(seen).toEqual(answers(never, 4));
      await bank.stop();
    }
  });

  it("is calibrated before its first answer when the power was off for 90 days, and says so", async () => {
    const { start, pass } = machine();
    const before = start();
    before.open();
    await before.bank.stop();
    pass(90 * day);
    const after = start();
    after.open();
    expect(after.named("ChipsResumed").map((e) => "detail" in e && e.detail)).toEqual([
      "The chips were without power for 90.00 days of their time.",
    ]);
    expect(after.named("ChipCaredFor")).toHaveLength(1);
    const { alpha, sinceCalibrationSeconds } = after.bank.health[0]!;
    expect(sinceCalibrationSeconds).toBe(0);
    // (90 d / 20 s) to the power of ν, which is 0.05 … 0.1 for most devices.
    expect(alpha.mean).toBeGreaterThan(1.6);
    expect(alpha.mean).toBeLessThan(3.4);
    await after.bank.stop();
  });

  it("is not calibrated again for a second's pause, and programmed only once", async () => {
    const { start, pass } = machine();
    const before = start();
    before.open();
    expect(before.named("ChipProgrammed")).toHaveLength(1);
    await before.bank.stop();
    pass(1);
    const after = start();
    after.open();
    expect(after.events).toEqual([]);
    await after.bank.stop();
  });

  it("is another one for another seed", async () => {
    const [one, two] = [machine(), machine({ seed: 2 })].map(({ start }) => start());
    expect(answers(one!.open(), 1)).not.toEqual(answers(two!.open(), 1));
    await Promise.all([one, two].map((agent) => agent!.bank.stop()));
  });
});

describe("A memory of chips that is damaged", () => {
  const spoil = (change: (database: Database.Database) => void) => {
    const database = new Database(file);
    change(database);
    database.close();
  };
  const once = async (settings = {}) => {
    const { start } = machine(settings);
    const { bank, open } = start();
    const seen = answers(open(), 1);
    await bank.stop();
    return seen;
  };
  const aside = () => readdirSync(folder).filter((entry) => entry.includes("damaged"));

  it.each([
    [
      "a bit of a device",
      "UPDATE tiles SET cells = CAST(substr(cells, 1, 200) || x'01' || substr(cells, 202) AS BLOB)",
    ],
    ["a bit of what is known", "UPDATE chips SET head = CAST(x'00' || substr(head, 2) AS BLOB)"],
    ["a tile that is missing", "DELETE FROM tiles WHERE tile = 0 AND array = '3-dense'"],
    [
      "a tile of another state, with its own sum",
      "UPDATE tiles SET (cells, sha256) = (SELECT cells, sha256 FROM tiles WHERE array = '7-dense')",
    ],
  ])("is told, kept, and the chip is programmed anew: %s", async (_, sql) => {
    const fresh = await once();
    spoil((database) => database.exec(sql));
    const { start } = machine();
    const { bank, open, named } = start();
    expect(answers(open(), 1)).toEqual(fresh);
    expect(named("ChipDamaged")).toHaveLength(1);
    expect(named("ChipProgrammed")).toHaveLength(1);
    expect(aside()).toEqual(["chips.sqlite.damaged-1"]);
    await bank.stop();
    const again = start();
    again.open();
    expect(again.events).toEqual([]);
    await again.bank.stop();
  });

  it.each([
    ["no database", () => writeFileSync(file, "a note of somebody else's\n".repeat(400))],
    ["a database of others", () => spoil((database) => database.exec("CREATE TABLE chips (note TEXT)"))],
  ])("is put aside as a whole where it is %s", async (_, make) => {
    make();
    const { start } = machine();
    const { bank, open, named } = start();
    open();
    expect(named("ChipDamaged")).toHaveLength(1);
    expect(existsSync(join(folder, "chips.sqlite.damaged-1"))).toBe(true);
    await bank.stop();
  });
});

describe("The thread of upkeep", () => {
  it("ages a chip that answers, calibrates it and stores each step before it is told", async () => {
    const { start, pass } = machine();
    let told: (step: UpkeepStep) => void = () => {};
    const { bank, open, events } = start((step) => told(step));
    const network = open();
    const young = answers(network, 1);
    bank.start();
    const stepped = new Promise<UpkeepStep>((resolve) => {
      told = resolve;
    });
    pass(30 * day);
    const step = await stepped;
    expect(step.kind).toBe("calibrate");
    expect(step.atSeconds).toBeGreaterThan(0.98 * 30 * day);
    expect(step.reads).toBeGreaterThan(0);
    expect(bank.health[0]!.ageSeconds).toBe(step.atSeconds);
    expect(events.filter(({ name: event }) => event === "UpkeepFailed")).toEqual([]);
    expect(answers(network, 1)).not.toEqual(young);
    const store = openChipStore<Knowledge>(file);
    const { key } = store.chips()[0]!;
    expect(store.steps(key, 1)[0]).toEqual(step);
    expect(store.load(key)!.knowledge.calibratedAtSeconds).toBe(step.atSeconds);
    store.close();
    await bank.stop();
  });
});
