import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "../../agent/config/schema.ts";
import { AlarmDesk } from "../../agent/store/alarm-desk.ts";
import { AnomalyStore } from "../../agent/store/anomaly-store.ts";
import { openChipStore } from "../../agent/store/chip-store.ts";
import { openStore } from "../../agent/store/open-store.ts";
import { lookAfter } from "../../agent/upkeep/care.ts";
import { plannedChip } from "../../agent/upkeep/chip-plan.ts";
import { LabelledAnomalies } from "../../agent/upkeep/labelled.ts";
import { lessonOf } from "../../agent/upkeep/lesson-of.ts";
import { type Knowledge, LivingChip } from "../../agent/upkeep/living-chip.ts";
import { ServingChip } from "../../agent/upkeep/serving-chip.ts";
import { saveChip, Upkeep } from "../../agent/upkeep/upkeep.ts";
import { Tile } from "../../models/crossbar/tile.ts";
import { fan, fault } from "./fan-model.ts";
import { say, saying } from "./saying.ts";

/*
 * A process that does nothing but record anomalies, label them, let a chip learn from the labels and forget it again, until
 * it is killed: node learning-chip.ts FOLDER, which holds tones.onnx. Says what it begins, a word a line, and `kept ID LABEL`
 * for each label that is on the disk. With `rest` behind FOLDER it learns from what is labelled, and ends.
 */

saying(AnomalyStore.prototype, "record", "recording");
saying(AlarmDesk.prototype, "acknowledge", "labelling");
saying(Tile.prototype, "teach", "learning");
saying(Tile.prototype, "rewrite", "programming");
saying(LivingChip.prototype, "calibrate", "calibration");
saying(ServingChip.prototype, "show", "swap");

const [folder = "", mode = "restless"] = process.argv.slice(2);
const { chip: chipSettings, state, forward } = configSchema.shape;
const settings = chipSettings.parse({
  learning: { policy: "labels", minimum: 8, perDay: 1000 },
  upkeep: { policy: "compensate" },
});
let nowMs = 0;
const { store, desk } = openStore(
  join(folder, "ohmwatch.sqlite"),
  { state: state.parse({}), forward: forward.parse({}) },
  {
    emit: ({ name }) => name !== "AnomalyInterrupted" && say(`Error: ${name}`),
    ...{ onOutbox: () => {}, onUnsaved: () => say("Error: unsaved"), nowMs: () => nowMs },
  },
);
const known = desk.feedback();
nowMs = known.at(-1)?.mark.atMs ?? 0;

const bytes = readFileSync(join(folder, "tones.onnx"));
const { key, plan } = plannedChip(bytes, settings);
const chips = openChipStore<Knowledge>(join(folder, "chips.sqlite"), (sentence) => say(`Error: ${sentence}`));
saying(chips, "save", "storing");
if (chips.load(key) === undefined) {
  const fresh = new LivingChip(plan, 0);
  fresh.learn({ celsiusFrom: "constant" }); // a change of it would be stored without a step
  const steps = lookAfter(fresh, settings, "new").map((step) => ({ ...step, wallMs: 0 }));
  saveChip(chips, key, fresh, 0, steps, true);
}
const stored = chips.load(key)!;
const serving = new ServingChip(new LivingChip(plan, 0, stored).network, stored.knowledge);
const upkeep = new Upkeep(chips, (message) => {
  if (message.kind === "shown") serving.show(message.image, message.noise, message.mayAnswer);
});
upkeep.adopt({ kind: "adopt", key, bytes, chip: settings });
const labelled = new LabelledAnomalies((after, limit) => desk.feedback(after, limit));
const learned = () => chips.load(key)!.knowledge.learned;

let clockSeconds = stored.knowledge.time.clockSeconds + (stored.knowledge.calibratedAtSeconds ?? 0);
/** A day passes, and a few labels more are read. @returns whether there were some */
const tick = (): boolean => {
  clockSeconds += 86_400;
  const some = labelled.next();
  const lessons = some.map((feedback) => {
    const lesson = lessonOf(feedback, plan.manifest);
    if (typeof lesson === "string") throw new Error(lesson);
    return lesson;
  });
  const fed = [{ key, inputs: [], margins: [], lessons, inference: 0 }];
  upkeep.tick({
    ...{ kind: "tick", clockSeconds, celsius: 25, celsiusFrom: "constant", hasRoom: true },
    wallMs: nowMs,
    fed,
  });
  return some.length > 0;
};

/** An anomaly that a fan or a fault raised, and what a person says that it was. */
const label = (number: number): void => {
  const [sound, truth] = number % 8 === 0 ? [fault, "inner-race"] : [fan, "normal"];
  const { stream, startAtNs, ...signal } = sound(10 * number);
  const anomaly = {
    ...{ id: `bearing/${number}`, stream, kind: "inner-race", severity: "major" as const, model: "tones" },
    ...{ fromNs: startAtNs, toNs: startAtNs + 1_000_000_000n, peakScore: 1, count: 3 },
    evidence: { startAtNs, ...signal },
  };
  store.record({ type: "new", anomaly });
  store.record({ type: "end", anomaly });
  nowMs += 1000;
  desk.acknowledge(anomaly.id, { by: "jane", label: truth });
  say(`kept ${anomaly.id} ${truth}`);
};

let number = store.list().length;
say("begun");
for (let isResting = false; !isResting; isResting = mode === "rest") {
  while (tick());
  for (const end = number + 8; number < end; number++) label(number);
  const before = learned()?.untilMs ?? 0;
  while (tick() || (learned()?.untilMs ?? 0) === before);
  if (mode === "rest") continue;
  chips.request({ what: "forget", model: "tones" });
  tick();
}
chips.close();
