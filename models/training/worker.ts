import { parentPort, workerData } from "node:worker_threads";
import { serve, type WorkerStart } from "./parallel.ts";
import { openRunner } from "./runner.ts";

// The second thread of training: builds its runner, says so, and then does its part of every task.
const start = workerData as WorkerStart;
const runner = await openRunner(start.job);
parentPort?.postMessage("ready");
serve(start, runner);
