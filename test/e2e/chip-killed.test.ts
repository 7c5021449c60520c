import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { configSchema } from "../../agent/config/schema.ts";
import { modelBytes } from "../../agent/models.ts";
import { AlarmDesk } from "../../agent/store/alarm-desk.ts";
import { AnomalyStore } from "../../agent/store/anomaly-store.ts";
import type { StoredChip } from "../../agent/store/chip-record.ts";
import { attachChipStore } from "../../agent/store/chip-store.ts";
import { openForReading } from "../../agent/store/database.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { lastLayerOf } from "../../agent/upkeep/last-layer.ts";
import { holdWeights } from "../../agent/upkeep/last-layer-reads.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { SequentialRandom } from "../../models/random.ts";
import { fanModel } from "../support/fan-model.ts";
import { onnxOf } from "../support/tiny-models.ts";

/** `OHMWATCH_CHIP_KILLS=200 npx vitest run test/e2e/chip-killed.test.ts` is the long run. */
const kills = Number(process.env["OHMWATCH_CHIP_KILLS"] ?? 6);
const restless = fileURLToPath(new URL("../support/restless-chip.ts", import.meta.url));
const learning = fileURLToPath(new URL("../support/learning-chip.ts", import.meta.url));

/** A random moment of its work: so many words said, and so many ms more. */
interface Moment {
  readonly words: number;
  readonly ms: number;
}

/** Let a program work, and kill it, if at all. @returns what it said, a word for each piece of work that it began */
const killed = (program: readonly string[], { words, ms }: Moment = { words: Infinity, ms: 0 }): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, program);
    let said = "";
    let isDoomed = false;
    child.stdout.on("data", (part: Buffer) => {
      said += part.toString();
      if (isDoomed || said.split("\n").length <= words) return;
      isDoomed = true;
      setTimeout(() => child.kill("SIGKILL"), ms);
    });
    child.stderr.on("data", (part: Buffer) => {
      said += part.toString();
    });
    child.once("close", () => resolve(said));
  });

it(
  `A chip killed ${kills} times while it is programmed, calibrated and written is whole at each start, old or new`,
  async ({ annotate }) => {
    const folder = mkdtempSync(join(tmpdir(), "ohmwatch-killed-"));
    const file = join(folder, "chips.sqlite");
    const random = new SequentialRandom(7);
    let steps = 0;
    /** How often it was killed at what. */
    const killedAt = new Map<string, number>();
    try {
      for (let kill = 0; kill < kills; kill++) {
        const seed = 1 + Math.floor(kill / 5);
        const moment = { words: Math.ceil(80 * random.uniform()), ms: 20 * random.uniform() };
        const said = await killed([restless, file, String(seed)], moment);
        expect(said).not.toMatch(/damaged|Error/);
        const work = said.trim().split("\n").at(-1)!;
        killedAt.set(work, 1 + (killedAt.get(work) ?? 0));
        const store = attachChipStore<Knowledge>(file);
        for (const { key } of store.chips()) {
          // The sums of all tiles are in the head: a mixture of two states throws.
          const stored = store.load(key)!;
          const [last] = store.steps(key, 1);
          expect(stored.knowledge.risk).toBe(last!.riskAfter ?? undefined);
          expect(last!.atSeconds).toBeGreaterThanOrEqual(stored.knowledge.calibratedAtSeconds!);
          expect(Object.values(stored.state.arrays)[0]!.atSeconds).toBe(last!.atSeconds);
        }
        steps += store.lastStep();
        store.close();
      }
      const store = attachChipStore<Knowledge>(file);
      const { key, plan } = plannedChip(modelBytes("pump-anomaly"), configSchema.shape.chip.parse({ seed: 1 }));
      const stored = store.load(key);
      expect(stored).toBeDefined();
      const chip = new LivingChip(plan, 0, stored);
      const output = new Float32Array(64);
      chip.network.infer(new Float32Array(64).fill(0.5), output);
      expect(output.every(Number.isFinite)).toBe(true);
      store.close();
      expect(steps).toBeGreaterThan(kills);
      await annotate([...killedAt].map(([work, times]) => `${work}: ${times}`).join(", "));
      if (kills >= 100)
        expect([...killedAt.keys()].sort()).toEqual(expect.arrayContaining(["calibration", "programming", "storing"]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000 + 20_000 * kills,
);

it("A chip is read whole while another process writes it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-read-"));
  const file = join(folder, "chips.sqlite");
  const child = spawn(process.execPath, [restless, file, "1"]);
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const store = attachChipStore<Knowledge>(file);
    let reads = 0;
    // A mixture of two states throws: until it was written anew thirty times, and read as often.
    for (let first = store.lastStep(); store.lastStep() < first + 30 || reads < 30; reads++) {
      for (const { key } of store.chips()) expect(store.load(key)).toBeDefined();
      await new Promise((resolve) => setImmediate(resolve));
      if (first === 0) first = store.lastStep();
    }
    store.close();
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}, 60_000);

it(
  `A chip killed ${kills} times while it learns from labels is whole at each start, before or after a learning, and no label is lost`,
  async ({ annotate }) => {
    const random = new SequentialRandom(11);
    const { chip: chipSettings } = configSchema.shape;
    const bytes = onnxOf(fanModel());
    const { key, plan } = plannedChip(bytes, chipSettings.parse({}));
    const layer = lastLayerOf(plan.graph, plan.manifest)!;
    /** What the devices of the last layer are to hold, S. */
    const heldBy = (chip: LivingChip) =>
      chip.network.arrays.get(layer.name)!.tiles.map((tile) => tile.targetsSiemens("weights"));
    const killedAt = new Map<string, number>();
    const seen = { learned: 0, forgotten: 0, unchanged: 0 };
    /** A chip and a database serve for so many kills. */
    const eachServes = 10;
    for (let from = 0; from < kills; from += eachServes) {
      const folder = mkdtempSync(join(tmpdir(), "ohmwatch-learning-"));
      const said = new Map<string, string>();
      let before: { readonly step: number; readonly stored: StoredChip<Knowledge> } | undefined;
      const look = (): StoredChip<Knowledge> | undefined => {
        const reader = openForReading(join(folder, "ohmwatch.sqlite"));
        expect(reader.pragma("integrity_check", { simple: true })).toBe("ok");
        const store = new AnomalyStore(reader);
        const feedback = new AlarmDesk(reader, store).feedback();
        const labels = new Map(feedback.map(({ anomaly, label }) => [anomaly.id, label]));
        for (const [id, label] of said) expect(labels.get(id)).toBe(label);
        for (const { evidence } of feedback) expect(evidence?.samples.length).toBe(12_000);
        const givenAt = [0, ...feedback.map(({ mark }) => mark.atMs)];
        reader.close();
        if (!existsSync(join(folder, "chips.sqlite"))) return undefined;
        const chips = attachChipStore<Knowledge>(join(folder, "chips.sqlite"));
        // The sums of all tiles are in the head: a mixture of two states throws.
        const stored = chips.load(key);
        const step = chips.lastStep();
        const last = chips.steps(key, 1)[0];
        chips.close();
        if (stored === undefined) return undefined;
        const { learned, risk } = stored.knowledge;
        expect(risk).toBe(last!.riskAfter);
        expect(givenAt).toContain(learned?.untilMs ?? 0);
        // What was learned and what the devices are to hold are of one moment, to the last bit.
        const chip = new LivingChip(plan, 0, stored);
        const like = new LivingChip(plan, 0);
        if (learned?.weights) holdWeights(like, layer, learned.weights);
        expect(heldBy(chip)).toEqual(heldBy(like));
        if (before !== undefined) {
          expect(learned?.untilMs ?? 0).toBeGreaterThanOrEqual(before.stored.knowledge.learned?.untilMs ?? 0);
          if (step === before.step) expect(stored).toEqual(before.stored);
        }
        seen[learned?.weights ? "learned" : "forgotten"]++;
        if (step === before?.step) seen.unchanged++;
        before = { step, stored };
        return stored;
      };
      const listen = (text: string): void => {
        expect(text).not.toMatch(/damaged|Error/);
        for (const [, id, label] of text.matchAll(/^kept (\S+) (\S+)$/gm)) said.set(id!, label!);
      };
      try {
        writeFileSync(join(folder, "tones.onnx"), bytes);
        for (let kill = from; kill < Math.min(kills, from + eachServes); kill++) {
          const moment = { words: Math.ceil(400 * random.uniform()), ms: 10 * random.uniform() };
          const text = await killed([learning, folder], moment);
          listen(text);
          const work = text.trim().split("\n").at(-1)!.split(" ")[0]!;
          killedAt.set(work, 1 + (killedAt.get(work) ?? 0));
          look();
        }
        // What is labelled by then is learned from, but for a few that wait for more: fewer than a learning takes.
        listen(await killed([learning, folder, "rest"]));
        const { learned } = look()!.knowledge;
        const reader = openForReading(join(folder, "ohmwatch.sqlite"));
        const given = new AlarmDesk(reader, new AnomalyStore(reader)).feedback();
        reader.close();
        expect(given.filter(({ mark }) => mark.atMs > learned!.untilMs).length).toBeLessThan(8);
        expect(said.size).toBeGreaterThanOrEqual(8);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
    const told = [...killedAt].map(([work, times]) => `${work}: ${times}`).join(", ");
    const states = `seen with what it learned ${seen.learned} times, without ${seen.forgotten}, as before ${seen.unchanged}`;
    await annotate(`${told}; ${states}`);
    if (kills >= 100) {
      expect([...killedAt.keys()]).toEqual(expect.arrayContaining(["learning", "programming", "storing", "labelling"]));
      expect(Math.min(seen.learned, seen.forgotten)).toBeGreaterThan(10);
    }
  },
  60_000 + 20_000 * kills,
);
