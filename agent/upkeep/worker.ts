import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { buffersOf } from "../../models/crossbar/circuit-image.ts";
import { openChipStore } from "../store/chip-store.ts";
import type { Knowledge } from "./living-chip.ts";
import type { FromUpkeep, ToUpkeep, UpkeepStart } from "./messages.ts";
import { Upkeep } from "./upkeep.ts";

/*
 * The thread that looks after the chips while the main thread classifies. An error ends it; the main thread says so and
 * goes on with what the chips show.
 */

/** What is computed here must not take the processor from an inference: on Linux a thread can have a priority. */
const stepBack = (): void => {
  try {
    setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), 10);
  } catch {
    // Not Linux, or not allowed: the threads share the processor as they are.
  }
};

stepBack();
const { file } = workerData as UpkeepStart;
const store = openChipStore<Knowledge>(file);
const upkeep = new Upkeep(store, (message: FromUpkeep) => {
  const buffers =
    message.kind === "shown" ? Object.values(message.image).flatMap((tiles) => tiles.flatMap(buffersOf)) : [];
  parentPort!.postMessage(message, buffers);
});
parentPort!.on("message", (message: ToUpkeep | { readonly kind: "stop" }) => {
  if (message.kind === "adopt") upkeep.adopt(message);
  else if (message.kind === "tick") upkeep.tick(message);
  else {
    store.close();
    parentPort!.close();
  }
});
