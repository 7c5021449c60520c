import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Beside a thread of the usual priority a tenth of a core that they share: on a full machine upkeep still gets on. */
const niceness = 10;

/**
 * Let this thread step back where others want the processor: what is computed here must not take it from an inference.
 * Only Linux gives threads a priority of their own; elsewhere, or where it is not allowed, nothing changes.
 */
export const stepBack = (): void => {
  try {
    setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), niceness);
  } catch {
    // The threads share the processor as they are.
  }
};
