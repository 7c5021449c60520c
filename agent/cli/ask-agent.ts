import { setTimeout as pause } from "node:timers/promises";
import type { ChipRequest } from "../store/chip-record.ts";
import type { ChipStore } from "../store/chip-store.ts";

/** How often it is looked whether the agent has done what was asked, ms. */
const lookMs = 100;

/**
 * Ask the agent that runs, through the memory of its chips.
 * @param isDone asked after each step that it took, whether that was it; left out: the first was
 * @returns whether it did in `seconds`; else it is asked no more
 */
export const askAgent = async <Knowledge>(
  store: ChipStore<Knowledge>,
  request: ChipRequest,
  seconds: number,
  isDone: () => boolean = () => true,
): Promise<boolean> => {
  let seen = store.lastStep();
  store.request(request);
  for (let waited = 0; waited <= 1000 * seconds; waited += lookMs) {
    const last = store.lastStep();
    if (last !== seen && isDone()) return true;
    seen = last;
    await pause(lookMs);
  }
  store.takeRequests();
  return false;
};
