import { execFileSync } from "node:child_process";
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
 * They get a lower priority, and keep off the first of the cores: that one is free at once when a frame comes, where a
 * thread of lower priority would still finish its slice of some milliseconds. Only Linux gives threads a priority of their
 * own, and only `taskset` (util-linux) says which cores they run on; elsewhere, or where it is not allowed, nothing changes.
 */
export const stepBack = (): void => {
  try {
    const own = readlinkSync("/proc/thread-self").split("/").at(-1)!;
    const helpers = readdirSync(threads).filter((thread) =>
      /^V8Worker/.test(readFileSync(`${threads}/${thread}/comm`, "utf8")),
    );
    for (const thread of [own, ...helpers]) setPriority(Number(thread), niceness);
    const cores = otherCores();
    if (cores === undefined) return;
    for (const thread of [own, ...helpers]) execFileSync("taskset", ["-p", "-c", cores, thread], { stdio: "ignore" });
  } catch {
    // The threads share the processor as they are.
  }
};

/** The cores that the process may use without the first, as a list such as `1-3,6`; undefined: there is only one. */
const otherCores = (): string | undefined => {
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const [first = "", ...rest] = allowed.split(",");
  const [from, to] = first.split("-").map(Number);
  const others = to === undefined ? rest : [from! + 1 === to ? `${to}` : `${from! + 1}-${to}`, ...rest];
  return others.length === 0 ? undefined : others.join(",");
};
