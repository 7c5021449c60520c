import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zooNames } from "../../../agent/models.ts";
import { encodeWav } from "../../../agent/recordings/wav.ts";
import { openForReading } from "../../../agent/store/database.ts";
import { runCli, startCli } from "../../support/run-cli.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

let folder: string;
let model: string;
let recording: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-cli-"));
  model = at("tones.onnx");
  recording = at("bearing.wav");
  writeFileSync(model, onnxOf(toneModel()));
  const rateHz = 12_000;
  // Healthy for 2 s, faulty for 2 s, healthy for 2 s.
  const samples = Float32Array.from({ length: 6 * rateHz }, (_, i) => {
    const hertz = i >= 2 * rateHz && i < 4 * rateHz ? 4000 : 1000;
    return 0.5 * Math.sin((2 * Math.PI * hertz * i) / rateHz) + 0.005 * Math.sin((i + 1) ** 2 * 12.9898);
  });
  writeFileSync(recording, encodeWav({ sampleRateHz: rateHz, channels: 1, format: "s16le", samples }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const linesOf = (text: string) => text.trimEnd().split("\n");
const rowsOf = (file: string) => {
  const database = openForReading(file);
  const queries = ["* FROM anomalies", "* FROM evidence", "sequence, type, payload FROM outbox"];
  const rows = queries.map((query) => database.prepare(`SELECT ${query}`).all());
  database.close();
  return rows;
};

describe("The command line", () => {
  it("suggests the command that was meant, and exits with 2", async () => {
    const { code, stderr } = await runCli("classfy");
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean classify?");
  });

  it("reports a configuration with five mistakes in five lines, and exits with 78", async () => {
    const file = at("bad.yaml");
    writeFileSync(
      file,
      `mqtt: { ulr: x, qos: 3 }
chip: { device: pmc }
streams:
  - { name: a, pipeline: eeg, model: m, queue: { policy: drop } }
`,
    );
    const { code, stderr, stdout } = await runCli("config", "check", file);
    expect([code, stdout, linesOf(stderr).length]).toEqual([78, "", 5]);
    expect(linesOf(stderr).every((line) => /^.*bad\.yaml:\d+ [\w.]+: expected .*, got /.test(line))).toBe(true);
  });

  it("prints an example that its own check takes", async () => {
    const file = at("example.yaml");
    writeFileSync(file, (await runCli("config", "example")).stdout);
    expect(await runCli("config", "check", file)).toMatchObject({ code: 0 });
    expect(JSON.parse((await runCli("config", "schema")).stdout)).toMatchObject({ required: ["streams"] });
  });

  it("classifies a recording, one line a frame, on devices as old as told", async () => {
    const { code, stdout } = await runCli("classify", "--model", model, "--json", "--age", "1d", recording);
    expect(code).toBe(0);
    const lines = linesOf(stdout).map((line) => JSON.parse(line));
    // (6 s − one window of 4096 samples) / hop of 3000 samples, and the first
    expect(lines).toHaveLength(Math.floor((72_000 - 4096) / 3000) + 1);
    expect(lines[0]).toMatchObject({ file: recording, fromSeconds: 0, label: "normal" });
    expect(lines.find(({ fromSeconds }) => fromSeconds === 2.5)).toMatchObject({ label: "inner-race" });
    expect(lines[0].probability - lines[0].margin).toBeCloseTo(1 - lines[0].probability, 5); // two classes
  });

  it("exits with 66 where a recording or a model is missing, with 65 where it is none", async () => {
    const missing = await runCli("classify", "--model", model, at("none.wav"));
    expect(missing).toMatchObject({ code: 66, stderr: expect.stringMatching(/none\.wav: expected a file/) });
    expect(await runCli("classify", "--model", "nothing", recording)).toMatchObject({ code: 66 });
    writeFileSync(at("broken.wav"), "RIFF");
    expect(await runCli("classify", "--model", model, at("broken.wav"))).toMatchObject({ code: 65 });
    writeFileSync(at("broken.onnx"), "no model");
    expect(await runCli("classify", "--model", at("broken.onnx"), recording)).toMatchObject({ code: 65 });
  });

  it("traces a recording through eight hops", async () => {
    const { stdout } = await runCli("trace", recording, "--model", model, "--json");
    const { hops } = JSON.parse(stdout);
    expect(hops.map(({ gives }: { gives: string }) => gives)).toEqual([
      "MqttMessage",
      "SampleBlock",
      "Frame",
      "Features",
      "QuantisedTensor",
      "Classification",
      "Anomaly",
      "rows",
    ]);
    expect(hops[2]).toMatchObject({ shape: [4096, 1] });
    expect(hops[4]).toMatchObject({ shape: [1, 32, 1], unit: "int8 code" });
    expect(hops[4].min).toBeGreaterThanOrEqual(-127);
    expect(hops[7].note).toMatch(/^new inner-race/);
    expect(hops.every(({ microseconds }: { microseconds: number }) => microseconds > 0)).toBe(true);
  });
});

describe("A replay", () => {
  it("into a database gives the same rows bit for bit each time, read noise included", async () => {
    const replay = (file: string) => runCli("replay", recording, "--model", model, "--database", at(file), "--json");
    const first = JSON.parse((await replay("one.sqlite")).stdout);
    expect(first).toMatchObject({ frames: 23, anomalies: 1 });
    await replay("two.sqlite");
    expect(rowsOf(at("two.sqlite"))).toEqual(rowsOf(at("one.sqlite")));
    expect(readdirSync(folder).filter((name) => /-(wal|shm)$/.test(name))).toEqual([]);
  });

  it("can be looked at: list, show with its signal drawn, export", async () => {
    const database = ["--database", at("one.sqlite")];
    const [row] = linesOf((await runCli("anomalies", "list", ...database, "--json")).stdout).map((l) => JSON.parse(l));
    expect(row).toMatchObject({
      stream: "bearing",
      kind: "inner-race",
      state: "ended",
      from: expect.stringMatching(/^1970/),
    });
    const shown = await runCli("anomalies", "show", row.id, ...database);
    expect(shown.stdout).toMatch(/samples at 12000 Hz/);
    expect(shown.stdout).toContain("█");
    const csv = linesOf((await runCli("anomalies", "export", "--format", "csv", ...database)).stdout);
    expect(csv[0]).toMatch(/^id,key,stream,kind,/);
    expect(csv[1]).toMatch(/^bearing\/inner-race\//);
    expect((await runCli("anomalies", "show", "nobody", ...database)).code).toBe(1);
    expect(await runCli("anomalies", "list", "--database", at("none.sqlite"))).toMatchObject({ code: 66 });
    const none = await runCli("anomalies", "list", ...database, "--kind", "ball");
    expect(none).toMatchObject({ code: 0, stdout: "", stderr: "No anomalies match.\n" });
  });
});

describe("The agent as a process", () => {
  it("takes a replayed recording from its broker, and SIGTERM leaves one clean database", async () => {
    const config = at("hall.yaml");
    const state = at("state");
    writeFileSync(
      config,
      `mqtt: { embeddedPort: 0 }
state: { directory: ${state} }
streams:
  - { name: bearing, pipeline: vibration, model: ${model} }
`,
    );
    const agent = startCli(["run", "--config", config]);
    const [, url] = await agent.stderrMatch(/Connected to (mqtt:\/\/[\d.]+:\d+)/);
    const options = ["--url", url!, "--topic", "ohmwatch/in/bearing", "--speed", "20", "--now"];
    expect((await runCli("replay", recording, ...options)).stderr).toMatch(/60 messages were sent/);
    agent.child.kill("SIGTERM");
    const { code, stderr } = await agent.result;
    expect(code).toBe(0);
    expect(stderr).toMatch(/bearing +60 +23 +1 /);
    expect(readdirSync(state)).toEqual(["chips.sqlite", "ohmwatch.sqlite"]);
    const rows = linesOf(
      (await runCli("anomalies", "list", "--json", "--database", join(state, "ohmwatch.sqlite"))).stdout,
    );
    expect(rows.map((line) => JSON.parse(line))).toMatchObject([{ kind: "inner-race", state: "ended" }]);
  });

  it("exits with 78 and the reasons when no stream can run, with 69 when its port is taken", async () => {
    const config = at("none.yaml");
    writeFileSync(
      config,
      `mqtt: { embeddedPort: 0 }
state: { directory: ${at("none")} }
streams: [{ name: bearing, pipeline: ecg, model: ${model} }]
`,
    );
    const { code, stderr } = await runCli("run", "--config", config);
    expect(code).toBe(78);
    expect(stderr).toMatch(/bearing: model: expected one for the pipeline ecg, got tones, which is for vibration/);
    const { createServer } = await import("node:net");
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const taken = startCli(["run", "--config", config], { OHMWATCH__MQTT__EMBEDDED_PORT: String(port) });
    expect(await taken.result).toMatchObject({ code: 69, stderr: expect.stringMatching(/expected a free port/) });
    server.close();
  });

  it("is examined by the doctor", async () => {
    const { code, stdout } = await runCli("doctor", "--json");
    const { findings } = JSON.parse(stdout);
    expect(findings.map(({ check }: { check: string }) => check)).toEqual([
      "node",
      "kernels",
      "clock",
      "disk",
      "models",
    ]);
    expect(code).toBe(0);
  });
});

const demoModels = ["bearing-faults", "ecg-beats", "keywords-12", "pump-anomaly"];

describe("The demo", () => {
  it.skipIf(!demoModels.every((name) => zooNames().includes(name)))(
    "shows every modality classified, each with an anomaly, and says so in JSON (skipped where a model is missing)",
    async () => {
      // Four times the usual speed: half a minute of signal.
      const { code, stdout } = await runCli("demo", "--seconds", "8", "--speed", "4", "--json", "--state", at("demo"));
      expect(code).toBe(0);
      const summary = JSON.parse(linesOf(stdout).at(-1)!);
      for (const modality of ["audio", "ecg", "vibration", "sensor"]) {
        expect(summary[modality], modality).toMatchObject({
          messages: expect.any(Number),
          frames: expect.any(Number),
          classifications: expect.any(Object),
        });
        expect(summary[modality].anomalies, modality).toBeGreaterThan(0);
      }
      expect(summary.framesPerSecond).toBeGreaterThan(0);
      expect(summary.realTimeFactor).toBeGreaterThan(1);
      expect(readdirSync(at("demo"))).toEqual(["chips.sqlite", "ohmwatch.sqlite"]);
    },
  );

  it.skipIf(!demoModels.every((name) => zooNames().includes(name)))(
    "ends with Ctrl-C: the database is whole and closed, and what is in it can be listed",
    async () => {
      const demo = startCli(["demo", "--speed", "4", "--json", "--state", at("interrupted")]);
      await demo.stderrMatch(/ new .* ecg /);
      demo.child.kill("SIGINT");
      const { code, stdout } = await demo.result;
      expect(code).toBe(0);
      expect(readdirSync(at("interrupted"))).toEqual(["chips.sqlite", "ohmwatch.sqlite"]); // no write-ahead log left
      const database = join(at("interrupted"), "ohmwatch.sqlite");
      const listed = await runCli("anomalies", "list", "--json", "--database", database);
      expect(listed.code).toBe(0);
      const anomalies = listed.stdout.trim().split("\n").length;
      const summary = JSON.parse(linesOf(stdout).at(-1)!);
      const counted = ["audio", "ecg", "vibration", "sensor"].map((m) => summary[m]?.anomalies ?? 0);
      expect(anomalies).toBe(counted.reduce((a, b) => a + b, 0));
    },
  );
});
