import { parentPort, workerData } from "node:worker_threads";
import { parseModel } from "../../models/load.ts";
import type { ChipRequest, ChipSetup } from "./chip-threads.ts";
import { measureChip } from "./lifetime.ts";
import { openTask } from "./task.ts";

/** Measures chips, one after the other, on recordings that it has read itself. */
const { model, data, fold, most } = workerData as ChipSetup;
const { graph, manifest } = parseModel(model);
const task = openTask(manifest, data, fold).then((whole) => (most === undefined ? whole : whole.part!(most)));
parentPort!.on("message", async ({ id, job }: ChipRequest) => {
  const measured = await task;
  try {
    const numbers = measureChip(graph, manifest, measured, job, () => parentPort!.postMessage({ scored: 1 }));
    parentPort!.postMessage({ id, numbers });
  } catch (error) {
    // Classes of errors of our own do not cross threads.
    const { name, message } = error as Error;
    parentPort!.postMessage({ id, failed: { name, message } });
  }
});
