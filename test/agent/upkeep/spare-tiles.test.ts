import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize } from "node:v8";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configSchema } from "../../../agent/config/schema.ts";
import { openTask } from "../../../agent/evaluation/task.ts";
import { modelBytes } from "../../../agent/models.ts";
import { ChipUnreadable, pack } from "../../../agent/store/chip-record.ts";
import { openChipStore } from "../../../agent/store/chip-store.ts";
import { type CareStep, lookAfter } from "../../../agent/upkeep/care.ts";
import { healthOf, healthOfStored } from "../../../agent/upkeep/health.ts";
import { type ChipPlan, type Knowledge, LivingChip } from "../../../agent/upkeep/living-chip.ts";
import { freeSpares, testOf } from "../../../agent/upkeep/spare-tiles.ts";
import { saveChip } from "../../../agent/upkeep/upkeep.ts";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import { deviceByName, devices } from "../../../models/crossbar/devices/registry.ts";
import type { FaultMap } from "../../../models/crossbar/faults.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { parseModel } from "../../../models/load.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { dataDir } from "../../support/data.ts";
import { runCli } from "../../support/run-cli.ts";

const day = 86_400;
const settings = configSchema.shape.chip.parse({ compensation: "global" });
const planOf = (name: string, spareTiles: number, device = "pcm-nandakumar-2019", more: Partial<ChipPlan> = {}) => {
  const { graph, manifest } = parseModel(modelBytes(name));
  const mapping = { ...manifest.mapping, hardware: { ...manifest.mapping.hardware, spareTiles } };
  const plan = { graph, manifest: { ...manifest, mapping }, device: deviceByName(device), seed: 1 };
  return { ...plan, kernel: "simd" as const, ...more };
};

type Break = (devices: number, wordLines: number) => Partial<FaultMap>;
const halfDead: Break = (_, lines) => ({ openWordLines: Array.from({ length: lines / 2 }, (_, i) => i) });
const dead: Break = (_, lines) => ({ openWordLines: Array.from({ length: lines }, (_, i) => i) });
const stuck = (rate: number): Break => {
  const random = new SequentialRandom(5);
  return (devices) => {
    const draws = Float64Array.from({ length: devices }, () => random.uniform());
    const where = (is: (u: number) => boolean) => [...draws.keys()].filter((d) => is(draws[d]!));
    return { stuckLow: where((u) => u < rate / 2), stuckHigh: where((u) => u >= 1 - rate / 2) };
  };
};

/** The tiles of a chip, the largest first. */
const bySize = ({ tiles }: LivingChip) => {
  const sizeOf = ({ is }: (typeof tiles)[number]) => is.place.inputs * is.place.outputs;
  return [...tiles].sort((a, b) => sizeOf(b) - sizeOf(a));
};
/** The same chip, its largest tile, or another by size, broken from now on. */
const broken = (chip: LivingChip, how: Break, nth = 0): LivingChip => {
  const { array, tile, is } = bySize(chip)[nth]!;
  const { state, knowledge } = structuredClone(chip.store().chip);
  const none = { stuckLow: [], stuckHigh: [], openWordLines: [], openBitLines: [] };
  const faults = { ...none, ...how(is.targetsSiemens().length, is.place.inputs) };
  const { tiles, ...rest } = state.arrays[array]!;
  const arrays = {
    ...state.arrays,
    [array]: { ...rest, tiles: tiles.map((other, t) => (t === tile ? { ...other, faults } : other)) },
  };
  return new LivingChip(chip.plan, 0, { state: { ...state, arrays }, knowledge });
};
const moves = (steps: readonly CareStep[]) => steps.filter(({ kind }) => kind === "spare-tile");

describe("A tile with too many stuck devices", () => {
  const figures = async (name: string) => {
    const task = (await openTask(planOf(name, 0).manifest, dataDir!)).part!(1000);
    return (chip: LivingChip) => task.score(chip.network).numbers["accuracy"]!;
  };

  it.skipIf(dataDir === undefined).each([
    ["pcm-nandakumar-2019", "three of ten devices", stuck(0.3)],
    ["pcm-nandakumar-2019", "half of the word lines", halfDead],
    ["rram-wan-2022", "three of ten devices", stuck(0.3)],
    ["rram-wan-2022", "half of the word lines", halfDead],
  ] as const)(
    "moves to a spare one, which brings accuracy back to within 0.5 points, and without spares is not: new %s, %s (skipped without ../shared/data)",
    async (device, _, how) => {
      const figure = await figures("digits-cnn3");
      const whole = figure(new LivingChip(planOf("digits-cnn3", 0, device), 0));
      const [without, moved] = [0, 1].map((spares) => {
        const chip = broken(new LivingChip(planOf("digits-cnn3", spares, device), 0), how);
        const steps = lookAfter(chip, settings, "new");
        expect(moves(steps)).toHaveLength(spares);
        return figure(chip);
      });
      expect(moved).toBeGreaterThanOrEqual(whole - 0.005);
      expect(without).toBeLessThan(whole - 0.02);
    },
  );

  it.skipIf(dataDir === undefined).each([
    ["three of ten devices", stuck(0.3)],
    ["all word lines", dead],
  ] as const)(
    "moves where it breaks in the life of a chip, and that is told with what it took: %s (skipped without ../shared/data)",
    async (_, how) => {
      const figure = await figures("bearing-faults");
      const [without, moved] = [0, 1].map((spares) => {
        const chip = new LivingChip(planOf("bearing-faults", spares), 0);
        const random = new SequentialRandom(5);
        const { testVectors, input } = chip.manifest;
        const inputs = Array.from({ length: 128 }, (_, i) =>
          Float32Array.from(testVectors[i % 4]!.input, (code) => (code + 10 * random.gaussian()) * input.scale),
        );
        chip.remember(
          inputs,
          Array.from({ length: 512 }, (_, i) => (i / 512) * 3),
        );
        lookAfter(chip, settings, "new");
        chip.liveTo(100 * day);
        lookAfter(chip, settings, "later");
        const whole = figure(chip);
        const worse = broken(chip, how);
        worse.liveTo(140 * day);
        const steps = lookAfter(worse, settings, "it broke");
        const [move, ...rest] = moves(steps);
        expect(rest).toEqual([]);
        if (spares === 0) expect(move).toBeUndefined();
        else {
          expect(move!.why).toMatch(/^11-dense, tile [01]: \d+ stuck devices keep it .* It stands on spare tile 0 now/);
          // Written high, low, and to its weights, and read as often.
          expect(move!.pulses).toBeGreaterThan(3 * 2 * 32 * 256);
          expect(move!.reads).toBeGreaterThan(2 * 2 * 256);
          expect(move!.joules).toBeGreaterThan(0);
          expect(move!.riskAfter).toBeLessThan(move!.riskBefore!);
        }
        return { whole, figure: figure(worse) };
      });
      expect(moved!.figure).toBeGreaterThanOrEqual(moved!.whole - 0.005);
      if (how === dead) expect(without!.figure).toBeLessThan(without!.whole - 0.02);
    },
  );

  it("stays where it is when the spare tiles are as bad, which are not tried again", () => {
    const faults = { stuckLow: 0.1, stuckHigh: 0.1 };
    const chip = new LivingChip(planOf("bearing-faults", 2, "ideal", { faults }), 0);
    const tried = moves(lookAfter(chip, settings, "new"));
    expect(tried.map(({ why }) => why.replace(/^.* in squares. /, "").replace(/[\d.]+ %/, "…"))).toEqual([
      "Spare tile 0 would lack …: it is not used.",
      "Spare tile 1 would lack …: it is not used.",
    ]);
    expect(chip.tiles.map(({ is }) => is.spare)).toEqual(chip.tiles.map(() => undefined));
    expect(chip.knowledge.spentSpares).toEqual([0, 1]);
    expect(healthOf(chip).spares).toEqual({ tiles: 2, inUse: [], spent: [0, 1] });
    expect(freeSpares(chip)).toEqual([]);
  });

  it("is none where partners hold the weights: no spare is touched for 0.5 % of stuck devices", () => {
    const faults = { stuckLow: 0.0025, stuckHigh: 0.0025 };
    for (const device of ["pcm-nandakumar-2019", "rram-wan-2022"]) {
      const chip = new LivingChip(planOf("digits-cnn3", 1, device, { faults }), 0);
      expect(moves(lookAfter(chip, settings, "new"))).toEqual([]);
    }
  });

  it("takes the spare for the tile that loses most, where there are fewer spares than broken tiles", () => {
    const half = broken(new LivingChip(planOf("bearing-faults", 1, "ideal"), 0), stuck(0.2), 0);
    const chip = broken(half, dead, 1);
    const worst = bySize(chip)[1]!;
    const steps = moves(lookAfter(chip, settings, "new"));
    expect(steps).toHaveLength(1);
    expect(steps[0]!.why).toContain(`${worst.array}, tile ${worst.tile}:`);
    expect(chip.tiles.filter(({ is }) => is.spare !== undefined)).toEqual([worst]);
  });
});

describe("The test of a spare tile", () => {
  it.each(devices.map((device) => [device.name, device] as const))(
    "of %s finds every device that is stuck or that a line does not reach, and no other",
    (_, device) => {
      const faults = { stuckLow: 0.03, stuckHigh: 0.03, openBitLines: 0.05 };
      const spec = {
        ...{
          device,
          dacBits: 8,
          adcBits: 8,
          tileInputs: 64,
          tileOutputs: 64,
          inputMax: 1,
          seed: 5,
          arrayId: 0,
          maxBatch: 1,
        },
        ...{ kernel: "simd" as const, spareTiles: 1, faults },
      };
      const random = new SequentialRandom(3);
      const weights = Float32Array.from({ length: 48 * 64 }, () => random.gaussian());
      const [tile] = new CrossbarArray(weights, 48, 64, spec, new Arena(1_000_000)).tiles;
      const spare = tile!.spareTile(0);
      const map = spare.cells.faults!;
      const faulty = new Set([...map.stuckLow, ...map.stuckHigh]);
      for (const line of map.openBitLines) {
        for (let i = 0; i < 64; i++) faulty.add(2 * ((line >> 1) * 64 + i) + (line & 1));
      }
      const { held } = testOf(spare, device, 7);
      expect([...held.keys()].sort((a, b) => a - b)).toEqual([...faulty].sort((a, b) => a - b));
      expect(faulty.size).toBeGreaterThan(300);
    },
  );
});

describe("A chip with a tile on a spare one", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ohmwatch-spares-"));
    file = join(folder, "chips.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const plan = planOf("bearing-faults", 2);
  const input = Float32Array.from(plan.manifest.testVectors[0]!.input, (code) => code * plan.manifest.input.scale);
  const answers = ({ network }: LivingChip) => {
    network.restartNoise(7);
    return Array.from({ length: 4 }, () => {
      const output = new Float32Array(plan.manifest.labels.length);
      network.infer(input, output);
      return output;
    });
  };
  const stored = () => {
    const chip = broken(new LivingChip(plan, 0), halfDead);
    const store = openChipStore<Knowledge>(file);
    saveChip(store, "key", chip, 0, [], true);
    const steps = lookAfter(chip, settings, "new").map((step) => ({ ...step, wallMs: 0 }));
    saveChip(store, "key", chip, 0, steps);
    return { chip, store };
  };
  const versionIn = (): number => {
    const database = new Database(file);
    const head = database.prepare("SELECT head FROM chips").pluck().get() as Buffer;
    database.close();
    return (deserialize(head) as { version: number }).version;
  };

  it("is the same after a restart, bit for bit, and goes on in the same way", () => {
    const { chip, store } = stored();
    const back = new LivingChip(plan, 0, store.load("key"));
    expect(answers(back)).toEqual(answers(chip));
    expect(back.network.freeSpareTiles).toEqual([1]);
    for (const both of [chip, back]) {
      both.liveTo(40 * day);
      lookAfter(both, settings, "later");
    }
    expect(answers(back)).toEqual(answers(chip));
    expect(healthOfStored("bearing-faults", store.load("key")!).spares).toEqual(healthOf(chip).spares);
    store.close();
  });

  it("answers the same through the image that the answering thread takes over", () => {
    const whole = new LivingChip(plan, 0);
    const chip = broken(whole, halfDead);
    const serving = new LivingChip(plan, 0, chip.store().chip);
    lookAfter(chip, settings, "new");
    expect(chip.network.freeSpareTiles).toEqual([1]);
    serving.network.show(structuredClone(chip.network.image()));
    expect(answers(serving)).toEqual(answers(chip));
  });

  it("is stored in a form of its own, which older programs refuse; chips without stay readable to them", () => {
    const { store } = stored();
    expect(versionIn()).toBe(3);
    const chip = new LivingChip(plan, 0);
    store.remove("key");
    saveChip(store, "key", chip, 0, [], true);
    expect(versionIn()).toBe(2);
    store.close();
  });

  it("is unreadable with the devices of the tile that it left, and refused with two tiles on one spare", () => {
    const { chip, store } = stored();
    const { array, tile } = chip.tiles.find(({ is }) => is.spare !== undefined)!;
    const { state, knowledge } = store.load("key")!;
    const { tiles, ...rest } = state.arrays[array]!;
    const twice = { ...state.arrays, [array]: { ...rest, tiles: tiles.map((is) => ({ ...is, spare: 0 })) } };
    expect(() => new LivingChip(plan, 0, { knowledge, state: { ...state, arrays: twice } })).toThrow(
      "spare tiles: expected each to be used once, got 0,0",
    );
    const left = pack(new LivingChip(plan, 0).store().chip.state.arrays[array]!.tiles[tile]!.cells);
    const database = new Database(file);
    const put = database.prepare("UPDATE tiles SET cells = ?, sha256 = ? WHERE array = ? AND tile = ?");
    expect(put.run(left.bytes, left.sha256, array, tile).changes).toBe(1);
    database.close();
    expect(() => store.load("key")).toThrow(ChipUnreadable);
    store.close();
  });

  it("says so in `ohmwatch chip`", async () => {
    const { chip, store } = stored();
    store.close();
    const { array, tile } = chip.tiles.find(({ is }) => is.spare !== undefined)!;
    const text = await runCli("chip", "--state", folder);
    expect(text.stdout).toContain(`  spares    1 of 2 spare tiles in use (${array}, tile ${tile} on spare 0)`);
    expect(text.stdout).toMatch(/spare-tile +\d+ reads, \d+ pulses, .* keep it from holding .* % of its weights/);
    const json = JSON.parse((await runCli("chip", "--state", folder, "--json")).stdout);
    expect(json.spares).toEqual({ tiles: 2, inUse: [{ array, tile, spare: 0 }], spent: [] });
  });
});
