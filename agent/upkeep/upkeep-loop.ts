import { parentPort, workerData } from "node:worker_threads";
import { buffersOf } from "../../models/crossbar/circuit-image.ts";
import { openChipStore } from "../store/chip-store.ts";
import type { Knowledge } from "./living-chip.ts";
import type { FromUpkeep, ToUpkeep, UpkeepStart } from "./messages.ts";
import { Upkeep } from "./upkeep.ts";

/** What the thread of upkeep does, message by message: see `worker.ts`. */
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
