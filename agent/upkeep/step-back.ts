import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** The lowest priority that is not another class: beside a thread of the usual one, 1.5 % of a core that they share. */
const lowest = 19;

/**
 * Let this thread take the processor where no other wants it: what is computed here must not take it from an inference.
 * Only Linux gives threads a priority of their own; elsewhere, or where it is not allowed, nothing changes.
 */
export const stepBack = (): void => {
  try {
    setPriority(Number(readlinkSync("/proc/thread-self").split("/").at(-1)), lowest);
  } catch {
    // The threads share the processor as they are.
  }
};
