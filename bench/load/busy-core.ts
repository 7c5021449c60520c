import { workerData } from "node:worker_threads";
import { stepBack } from "../../agent/upkeep/step-back.ts";

/** A thread that goes through so many bytes (`workerData`) over and over at the priority of upkeep, until it is ended. */
stepBack();
const words = new Int32Array(Math.ceil((workerData as number) / 4));
for (let salt = 1; ; salt++) {
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(words[i]! ^ salt, 0x9e3779b1);
}
