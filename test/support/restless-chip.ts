import { configSchema } from "../../agent/config/schema.ts";
import { modelBytes } from "../../agent/models.ts";
import { openChipStore } from "../../agent/store/chip-store.ts";
import { lookAfter } from "../../agent/upkeep/care.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { ServingChip } from "../../agent/upkeep/serving-chip.ts";
import { saveChip, Upkeep } from "../../agent/upkeep/upkeep.ts";
import { Tile } from "../../models/crossbar/tile.ts";
import { say, saying } from "./saying.ts";

/*
 * A process that does nothing but program chips, calibrate and write them anew, a month of their time after the other,
 * store them and show what they came to, until it is killed: node restless-chip.ts FILE SEED. Says what it begins, a word
 * a line, so that the last one tells where it was killed.
 */

saying(Tile.prototype, "rewrite", "programming");
saying(LivingChip.prototype, "calibrate", "calibration");
saying(LivingChip.prototype, "look", "calibration");
saying(ServingChip.prototype, "show", "swap");

const [file = "", seed = "1"] = process.argv.slice(2);
const chip = configSchema.shape.chip.parse({ seed: Number(seed), upkeep: { tolerance: 0.0001 } });
const bytes = modelBytes("pump-anomaly");
const { key, plan } = plannedChip(bytes, chip);
const store = openChipStore<Knowledge>(file, (sentence) => say(`damaged: ${sentence}`));
saying(store, "save", "storing");
let stored = store.load(key);
if (stored === undefined) {
  say("programming");
  const fresh = new LivingChip(plan, 0);
  fresh.remember(
    [],
    Array.from({ length: 512 }, (_, i) => i / 256),
  );
  fresh.learn({ celsiusFrom: "constant" }); // a change of it would be stored without a step
  const steps = lookAfter(fresh, chip, "new").map((step) => ({ ...step, wallMs: 0 }));
  saveChip(store, key, fresh, 0, steps, true);
  stored = store.load(key)!;
}
const serving = new ServingChip(new LivingChip(plan, 0, stored).network, stored.knowledge);
const upkeep = new Upkeep(store, (message) => {
  if (message.kind === "shown") serving.show(message.image, message.noise, message.mayAnswer);
});
upkeep.adopt({ kind: "adopt", key, bytes, chip });
const month = 31 * 86_400;
let clockSeconds = stored.knowledge.time.clockSeconds + (stored.knowledge.calibratedAtSeconds ?? 0);
say("begun");
for (;;) {
  clockSeconds += month;
  upkeep.tick({ kind: "tick", clockSeconds, wallMs: 0, celsius: 25, celsiusFrom: "constant", hasRoom: true, fed: [] });
}
