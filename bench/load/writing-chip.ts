import { parentPort, workerData } from "node:worker_threads";
import { configSchema } from "../../agent/config/schema.ts";
import { modelBytes } from "../../agent/models.ts";
import { openChipStore } from "../../agent/store/chip-store.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { rewriteTiles } from "../../agent/upkeep/rewriting.ts";
import { stepBack } from "../../agent/upkeep/step-back.ts";
import { saveChip, shownOf } from "../../agent/upkeep/upkeep.ts";
import { buffersOf } from "../../models/crossbar/circuit-image.ts";

/** What the thread is told: which model, and where to store its chip. */
export interface WritingChip {
  readonly model: string;
  readonly file: string;
}

/*
 * A thread that does the heaviest that upkeep does, over and over between `go` and `rest`: a month passes, all devices of
 * a chip are written anew and verified, it is calibrated, compared with its twin, stored and shown.
 */
stepBack();
const { model, file } = workerData as WritingChip;
const { key, plan } = plannedChip(modelBytes(model), configSchema.shape.chip.parse({}));
const store = openChipStore<Knowledge>(file);
const chip = new LivingChip(plan, 0);
saveChip(store, key, chip, 0, [], true);
let clockSeconds = 0;
let isWorking = false;
const work = (): void => {
  if (!isWorking) return;
  clockSeconds += 30 * 86_400;
  chip.liveTo(clockSeconds);
  const { pulses } = rewriteTiles(chip, 1);
  chip.calibrate({ compensation: "global", rescaling: "none", followsRanges: false });
  chip.look();
  saveChip(store, key, chip, 0, []);
  const shown = shownOf(key, chip);
  const buffers = Object.values(shown.image).flatMap((tiles) => tiles.flatMap(buffersOf));
  parentPort!.postMessage({ shown, pulses }, buffers);
  setImmediate(work);
};
parentPort!.on("message", (message: "go" | "rest") => {
  isWorking = message === "go";
  if (isWorking) work();
  else parentPort!.postMessage("rested");
});
