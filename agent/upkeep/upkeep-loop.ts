import { parentPort, workerData } from "node:worker_threads";
import { buffersOf } from "../../models/crossbar/circuit-image.ts";
import { openChipStore } from "../store/chip-store.ts";
import type { Knowledge } from "./living-chip.ts";
import type { Fed, FromUpkeep, Tick, TickMessage, ToUpkeep, UpkeepStart } from "./messages.ts";
import { Upkeep } from "./upkeep.ts";

/** What the thread of upkeep does, message by message: see `worker.ts`. */
const { file } = workerData as UpkeepStart;
const store = openChipStore<Knowledge>(file);
const tell = (message: FromUpkeep): void => {
  const buffers =
    message.kind === "shown" ? Object.values(message.image).flatMap((tiles) => tiles.flatMap(buffersOf)) : [];
  parentPort!.postMessage(message, buffers);
};
const upkeep = new Upkeep(store, tell);

/** The same tick with lessons in the place of labelled anomalies. What makes them is loaded when the first comes. */
const withLessons = async (tick: TickMessage): Promise<Tick> => {
  const hasLabels = tick.fed.some(({ labelled }) => labelled.length > 0);
  const lessonOf = hasLabels ? (await import("./lesson-of.ts")).lessonOf : undefined;
  const fed = tick.fed.map(({ labelled, ...came }): Fed => {
    const lessons = labelled.flatMap((feedback) => {
      const lesson = lessonOf!(feedback, upkeep.manifestOf(came.key));
      if (typeof lesson !== "string") return [lesson];
      tell({ kind: "left-out", stream: feedback.anomaly.stream, detail: lesson });
      return [];
    });
    return { ...came, lessons };
  });
  return { ...tick, fed };
};

const take = async (message: ToUpkeep | { readonly kind: "stop" }): Promise<void> => {
  if (message.kind === "adopt") return upkeep.adopt(message);
  if (message.kind === "tick") return upkeep.tick(await withLessons(message));
  store.close();
  parentPort!.close();
};

/** One after the other; an error ends the thread. */
let work = Promise.resolve();
parentPort!.on("message", (message: ToUpkeep | { readonly kind: "stop" }) => {
  work = work.then(() => take(message));
});
