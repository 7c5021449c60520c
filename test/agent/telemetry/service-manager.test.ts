import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { progressCheck, type StreamProgress, serviceManager } from "../../../agent/telemetry/service-manager.ts";
import { startCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-notify-"));
const script = fileURLToPath(new URL("../../support/notify-socket.py", import.meta.url));
const lacksTools = ["systemd-notify", "python3"].some((tool) => spawnSync(tool, ["--version"]).error !== undefined);
let listener: ChildProcess | undefined;
afterEach(() => void listener?.kill());
afterAll(() => rmSync(folder, { recursive: true }));

/** A socket as systemd's: gives its path, and the messages as they come. */
const listen = async (): Promise<{ path: string; next: (pattern: RegExp) => Promise<string> }> => {
  const path = join(folder, `${process.hrtime.bigint()}`);
  listener = spawn("python3", [script, path], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: listener.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  const next = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`expected a message ${pattern}, got none`);
      const message = JSON.parse(value) as string;
      if (pattern.test(message)) return message;
    }
  };
  return { path, next };
};

describe("The agent under systemd (skipped where systemd-notify or python3 is missing)", () => {
  it.skipIf(lacksTools)("says when it is ready, that it lives, and when it stops", async () => {
    const socket = await listen();
    const config = join(folder, "ohmwatch.yaml");
    const state = join(folder, "state");
    writeFileSync(
      config,
      `mqtt: { embeddedPort: 0 }\nstate: { directory: ${state} }\nstreams: [{ name: bed, pipeline: ecg, model: ecg-beats }]\n`,
    );
    const environment = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "400000" };
    const { child, result } = startCli(["run", "--config", config], environment);
    expect(await socket.next(/READY=1/)).toMatch(
      /^READY=1\nSTATUS=1 of 1 streams run, broker mqtt:\/\/127\.0\.0\.1:\d+$/,
    );
    await socket.next(/^WATCHDOG=1$/);
    await socket.next(/^WATCHDOG=1$/);
    child.kill("SIGTERM");
    await socket.next(/^STOPPING=1$/);
    expect((await result).code).toBe(0);
  });

  it("says nothing where no service manager listens", () => {
    expect(serviceManager({}, () => expect.unreachable())).toBeUndefined();
  });

  it("says once, in a sentence, that systemd-notify is missing", async () => {
    const sentences: string[] = [];
    const empty = { NOTIFY_SOCKET: "/none", PATH: "/none" };
    const told = new Promise<void>((resolve) => {
      const manager = serviceManager(empty, (sentence) => resolve(void sentences.push(sentence)))!;
      manager.ready("x");
      manager.stopping();
    });
    await told;
    await once(spawn("true"), "exit");
    expect(sentences).toEqual(["systemd-notify: expected it to pass a message on, got ENOENT"]);
  });
});

describe("The check of progress", () => {
  const callsWith = (...steps: readonly (readonly [waiting: number, done: number])[]): boolean[] => {
    let now: StreamProgress[] = [];
    const check = progressCheck(() => now);
    return steps.map(([waiting, done]) => {
      now = [{ name: "bed", waiting, done }];
      return check();
    });
  };

  it("holds while streams are idle or move", () => {
    expect(callsWith([0, 5], [0, 5], [3, 5], [3, 9], [9, 10], [0, 20])).not.toContain(false);
  });

  it("fails once messages waited from one call to the next and none was worked off", () => {
    expect(callsWith([3, 5], [4, 5], [4, 6])).toEqual([true, false, true]);
  });
});
