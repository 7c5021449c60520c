import { setTimeout as pause } from "node:timers/promises";
import type { ChipRequest } from "../store/chip-record.ts";
import type { ChipStore } from "../store/chip-store.ts";

/** How often it is looked whether the agent has done what was asked, ms. */
const lookMs = 100;

/**
 * Ask the agent that runs, through the memory of its chips.
 * @param isDone whether it has done so; left out: it took a step
 * @returns whether it did in `seconds`; else it is asked no more
 */
export const askAgent = async <Knowledge>(
  store: ChipStore<Knowledge>,
  request: ChipRequest,
  seconds: number,
  isDone?: () => boolean,
): Promise<boolean> => {
  const before = store.lastStep();
  const done = isDone ?? (() => store.lastStep() !== before);
  store.request(request);
  for (let waited = 0; waited < 1000 * seconds && !done(); waited += lookMs) await pause(lookMs);
  if (done()) return true;
  store.takeRequests();
  return false;
};
