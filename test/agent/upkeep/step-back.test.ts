import { execFileSync } from "node:child_process";
import { getPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../../support/thread-priorities.ts", import.meta.url));

describe("Upkeep beside the thread that answers", () => {
  it.runIf(process.platform === "linux")("steps back with the helpers of V8 and leaves the main thread alone", () => {
    const threads = JSON.parse(execFileSync(process.execPath, [program], { encoding: "utf8" })) as [string, number][];
    const nicenessOf = (name: string) => new Set(threads.filter(([is]) => is === name).map(([, niceness]) => niceness));
    expect(nicenessOf("WorkerThread")).toEqual(new Set([10]));
    expect(nicenessOf("V8Worker")).toEqual(new Set([10]));
    expect(nicenessOf("MainThread")).toEqual(new Set([getPriority()]));
  });
});
