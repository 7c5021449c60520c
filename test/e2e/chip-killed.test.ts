import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { configSchema } from "../../agent/config/schema.ts";
import { modelBytes } from "../../agent/models.ts";
import { attachChipStore } from "../../agent/store/chip-store.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { SequentialRandom } from "../../models/random.ts";

/** `OHMWATCH_CHIP_KILLS=200 npx vitest run test/e2e/chip-killed.test.ts` is the long run. */
const kills = Number(process.env["OHMWATCH_CHIP_KILLS"] ?? 6);
const restless = fileURLToPath(new URL("../support/restless-chip.ts", import.meta.url));

/** A random moment of its work: so many words said, and so many ms more. */
interface Moment {
  readonly words: number;
  readonly ms: number;
}

/** Let it work, and kill it. @returns what it said, a word for each piece of work that it began */
const killed = (file: string, seed: number, { words, ms }: Moment): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [restless, file, String(seed)]);
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
        const said = await killed(file, seed, { words: Math.ceil(80 * random.uniform()), ms: 20 * random.uniform() });
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
