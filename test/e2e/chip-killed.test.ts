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

/** 200 in the run that docs/operations.md speaks of. */
const kills = Number(process.env["OHMWATCH_CHIP_KILLS"] ?? 6);
const restless = fileURLToPath(new URL("../support/restless-chip.ts", import.meta.url));

/** Let it work, and kill it so many ms after its first word. @returns what it said */
const killed = (file: string, seed: number, afterMs: number): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [restless, file, String(seed)]);
    let said = "";
    let isCounting = false;
    child.stdout.on("data", (part: Buffer) => {
      said += part.toString();
      if (isCounting) return;
      isCounting = true;
      setTimeout(() => child.kill("SIGKILL"), afterMs);
    });
    child.stderr.on("data", (part: Buffer) => {
      said += part.toString();
    });
    // A chip that is new is being programmed and stored before the first word.
    if (afterMs % 3 < 1) setTimeout(() => child.kill("SIGKILL"), 10 * afterMs);
    child.once("close", () => resolve(said));
  });

it(
  `A chip killed ${kills} times while it is programmed, calibrated and written is whole at each start, old or new`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "ohmwatch-killed-"));
    const file = join(folder, "chips.sqlite");
    const random = new SequentialRandom(7);
    let steps = 0;
    try {
      for (let kill = 0; kill < kills; kill++) {
        const seed = 1 + Math.floor(kill / 5);
        const said = await killed(file, seed, 150 * random.uniform());
        expect(said).not.toMatch(/damaged|Error/);
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
      const chip = new LivingChip(plan, 0, store.load(key)!);
      const output = new Float32Array(64);
      chip.network.infer(new Float32Array(64).fill(0.5), output);
      expect(output.every(Number.isFinite)).toBe(true);
      store.close();
      expect(steps).toBeGreaterThan(kills);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000 + 20_000 * kills,
);
