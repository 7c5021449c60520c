import { configSchema } from "../../agent/config/schema.ts";
import { modelBytes } from "../../agent/models.ts";
import { openChipStore } from "../../agent/store/chip-store.ts";
import { lookAfter } from "../../agent/upkeep/care.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { saveChip, Upkeep } from "../../agent/upkeep/upkeep.ts";

/*
 * A process that does nothing but program chips, calibrate and write them anew, a month of their time after the other,
 * until it is killed: node restless-chip.ts FILE SEED. Says `step` after each.
 */

const [file = "", seed = "1"] = process.argv.slice(2);
const chip = configSchema.shape.chip.parse({ seed: Number(seed), upkeep: { tolerance: 0.0001 } });
const bytes = modelBytes("pump-anomaly");
const { key, plan } = plannedChip(bytes, chip);
const store = openChipStore<Knowledge>(file, (sentence) => process.stdout.write(`damaged: ${sentence}\n`));
let stored = store.load(key);
if (stored === undefined) {
  const fresh = new LivingChip(plan, 0);
  fresh.remember(
    [],
    Array.from({ length: 512 }, (_, i) => i / 256),
  );
  const steps = lookAfter(fresh, chip, "new").map((step) => ({ ...step, wallMs: 0 }));
  saveChip(store, key, fresh, 0, steps, true);
  stored = store.load(key)!;
}
const upkeep = new Upkeep(store, ({ kind }) => kind === "stepped" && process.stdout.write("step\n"));
upkeep.adopt({ kind: "adopt", key, bytes, chip });
const month = 31 * 86_400;
let clockSeconds = stored.knowledge.time.clockSeconds + (stored.knowledge.calibratedAtSeconds ?? 0);
process.stdout.write("begun\n");
for (;;) {
  clockSeconds += month;
  upkeep.tick({ kind: "tick", clockSeconds, wallMs: 0, celsius: 25, celsiusFrom: "constant", hasRoom: true, fed: [] });
}
