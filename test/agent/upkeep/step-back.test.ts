import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, getPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../support/thread-priorities.ts", import.meta.url));
const isLinux = process.platform === "linux";
const canKeepOff = isLinux && availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

interface Thread {
  readonly name: string;
  readonly niceness: number;
  readonly cores: string;
}

/** The cores of a list such as `0-2,5`. */
const coresOf = (list: string): readonly number[] =>
  list.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });

describe.runIf(isLinux)("Upkeep beside the thread that answers", () => {
  const threadsOf = (name: string, before: readonly string[] = []): readonly Thread[] => {
    const [file = "", ...rest] = [...before, process.execPath, program];
    const threads = JSON.parse(execFileSync(file, rest, { encoding: "utf8" })) as Thread[];
    return threads.filter((thread) => thread.name === name);
  };
  const all = ["MainThread", "WorkerThread", "V8Worker"].map((name) => threadsOf(name));
  const [main, own, helpers] = all as [readonly Thread[], readonly Thread[], readonly Thread[]];

  it("steps back with the helpers of V8 and leaves the main thread alone", () => {
    expect([main.length, own.length]).toEqual([1, 1]);
    expect(helpers.length).toBeGreaterThan(0);
    expect(new Set([...own, ...helpers].map(({ niceness }) => niceness))).toEqual(new Set([10]));
    expect(main[0]!.niceness).toBe(getPriority());
  });

  it.runIf(canKeepOff)("keeps off the first core that the process may use, which the main thread still may", () => {
    const allowed = coresOf(/Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]!);
    expect(coresOf(main[0]!.cores)).toEqual(allowed);
    for (const { cores } of [...own, ...helpers]) expect(coresOf(cores)).toEqual(allowed.slice(1));
    const last = `${allowed.at(-1)}`;
    // Where there is one core, all share it.
    expect(threadsOf("WorkerThread", ["taskset", "-c", last])[0]!.cores).toBe(last);
  });
});
