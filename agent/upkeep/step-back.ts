import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Beside a thread of the usual priority a tenth of a core that they share: on a full machine upkeep still gets on. */
const niceness = 10;
const threads = "/proc/self/task";

/**
 * Let this thread step back where others want the processor, and with it the helper threads of V8, which collect what it
 * throws away: what is computed here must not take the processor from an inference. The helpers serve all threads of the
 * process; the one that answers frames throws away little.
 *
 * Only Linux gives threads a priority of their own; elsewhere, or where it is not allowed, nothing changes.
 */
export const stepBack = (): void => {
  try {
    const own = readlinkSync("/proc/thread-self").split("/").at(-1)!;
    const helpers = readdirSync(threads).filter((thread) =>
      /^V8Worker/.test(readFileSync(`${threads}/${thread}/comm`, "utf8")),
    );
    for (const thread of [own, ...helpers]) setPriority(Number(thread), niceness);
  } catch {
    // The threads share the processor as they are.
  }
};
