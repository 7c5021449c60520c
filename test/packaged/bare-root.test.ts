import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { play } from "../../agent/player.ts";
import { openRecording } from "../../agent/recordings/open.ts";
import { freePort, mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { hasProgram, ownBinary, packaged, runWords } from "../support/packaged.ts";

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-bare-"));
const state = join(folder, "state");
const cache = join(folder, "cache");
const etc = join(folder, "etc");
for (const path of [state, cache, etc]) mkdirSync(path, { mode: 0o700 });
afterAll(() => rmSync(folder, { recursive: true }));

/** The shared libraries of the binary, and what loads them. */
const libraries = (): string[] =>
  [...execFileSync("ldd", [ownBinary], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);

/**
 * A root that has nothing but the binary and its libraries, all of it read-only but for the folders of state and cache: no
 * Node, npm, checkout, shell, list of users or /tmp.
 */
const bare = (): string[] => [
  ...[
    "bwrap",
    "--unshare-user-try",
    "--unshare-ipc",
    "--unshare-uts",
    "--die-with-parent",
    "--clearenv",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
  ],
  ...libraries().flatMap((path) => ["--ro-bind", path, path]),
  ...["--ro-bind", ownBinary, "/ohmwatch", "--ro-bind", etc, "/etc/ohmwatch"],
  ...["--bind", state, "/state", "--bind", cache, "/cache"],
  ...["--setenv", "CACHE_DIRECTORY", "/cache", "--setenv", "STATE_DIRECTORY", "/state", "--setenv", "LANG", "C.UTF-8"],
  ...["--remount-ro", "/", "/ohmwatch"],
];

describe.skipIf(packaged === undefined || !hasProgram("bwrap", "--version"))(
  "The binary in an empty root (skipped without OHMWATCH_PACKAGED or bubblewrap)",
  () => {
    it("passes its self-test with the addon, and leaves nothing but that in the cache", async () => {
      expect(await runWords([...bare(), "self-test", "--state", "/state"])).toMatchObject({ code: 0, stderr: "" });
      expect(readdirSync(cache)).toEqual([expect.stringMatching(/^better-sqlite3-[0-9a-f]{16}\.node$/)]);
      expect(readdirSync(state)).toEqual([]);
    });

    it("runs the demo: every modality is classified, with an anomaly", async () => {
      const words = [...bare(), "demo", "--seconds", "20", "--json", "--state", "/state"];
      const { code, stdout, stderr } = await runWords(words);
      expect(code, stderr).toBe(0);
      const summary = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<
        string,
        { frames: number; anomalies: number }
      >;
      for (const modality of ["audio", "ecg", "vibration", "sensor"]) {
        expect(summary[modality]!.frames, modality).toBeGreaterThan(0);
        expect(summary[modality]!.anomalies, modality).toBeGreaterThan(0);
      }
      const left = readdirSync(state);
      expect(left).toEqual(["chips.sqlite", "ohmwatch.sqlite"]);
      for (const file of left) rmSync(join(state, file));
    });

    it.skipIf(mosquitto === undefined)(
      "runs as the agent at mosquitto (skipped without it): beats in, anomalies out",
      async () => {
        const port = await freePort();
        const broker = await startMosquitto(port);
        const url = `mqtt://127.0.0.1:${port}`;
        writeFileSync(
          join(etc, "ohmwatch.yaml"),
          `mqtt: { url: "${url}" }\nstate: { directory: "\${STATE_DIRECTORY}" }\nstreams: [{ name: bed, pipeline: ecg, model: ecg-beats }]\n`,
        );
        const words = [...bare(), "run", "--config", "/etc/ohmwatch/ohmwatch.yaml"];
        const agent = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
        let log = "";
        const connected = new Promise<void>((done, fail) => {
          agent.stderr.on("data", (part: Buffer) => {
            log += part.toString();
            if (log.includes('"Ready') && log.includes("BrokerConnected")) done();
          });
          agent.once("exit", (code) => fail(new Error(`ended with ${code}: ${log}`)));
        });
        const ended = once(agent, "exit");
        await connected;
        const listener = await mqtt.connectAsync(url);
        const beat = new Promise<void>((done) => {
          listener.on("message", (_, payload) => {
            const { after } = JSON.parse(payload.toString()) as { after: { kind: string } };
            if (after.kind === "V") done();
          });
        });
        await listener.subscribeAsync("ohmwatch/events");
        const publisher = await connectPublisher(url, "bare-root-test", 1);
        const recording = await openRecording("fixtures/ecg/ecg.hea");
        const score = {
          topic: "ohmwatch/in/bed",
          codec: codecByName("protobuf"),
          encoding: { format: "f32le", unit: "mV", session: "t" },
          speed: 1e6,
          blocks: () => recording.blocks(1),
          repeats: false,
          startAtNs: undefined,
        } as const;
        await play(score, publisher.publish, new AbortController().signal);
        await publisher.close();
        await beat;
        await listener.endAsync();
        process.kill(Number(/"pid":(\d+)/.exec(log)![1]), "SIGTERM"); // not its wrapper
        expect(await ended, log).toEqual([0, null]);
        await broker.kill();
        const list = await runWords([...bare(), "anomalies", "list", "--json", "--database", "/state/ohmwatch.sqlite"]);
        expect(list.code, list.stderr).toBe(0);
        const kinds = list.stdout
          .trim()
          .split("\n")
          .map((line) => (JSON.parse(line) as { kind: string }).kind);
        expect(kinds).toContain("V");
      },
    );

    it.skipIf(!hasProgram("strace", "-V"))(
      "writes no file but in its folders of state and cache (skipped without strace)",
      async () => {
        const trace = join(folder, "trace");
        const home = join(folder, "home");
        mkdirSync(home);
        const calls =
          "trace=open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,symlink,symlinkat,link,linkat,truncate";
        const words = [
          "strace",
          "-f",
          "-qq",
          "-e",
          calls,
          "-o",
          trace,
          ownBinary,
          "demo",
          "--seconds",
          "3",
          "--json",
          "--state",
          state,
        ];
        const environment = {
          PATH: "/usr/bin:/bin",
          HOME: home,
          CACHE_DIRECTORY: join(folder, "cache"),
          TMPDIR: "/none",
        };
        expect(await runWords(words, environment)).toMatchObject({ code: 0 });
        const changing = readFileSync(trace, "utf8")
          .split("\n")
          .filter((line) => / = \d+$/.test(line))
          .filter((line) => !/ open(at)?\(/.test(line) || /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/.test(line))
          .flatMap((line) => [...line.matchAll(/"([^"]+)"/g)].map(([, path]) => path!));
        expect(changing.some((path) => path.startsWith(state))).toBe(true);
        expect(
          changing.filter((path) => ![state, cache, "/dev/null", "/dev/tty"].some((own) => path.startsWith(own))),
        ).toEqual([]);
        expect(readdirSync(home)).toEqual([]);
      },
    );
  },
);
