import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeWav } from "../../../agent/recordings/wav.ts";
import { runCli } from "../../support/run-cli.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-config-"));
  writeFileSync(at("tones.onnx"), onnxOf(toneModel()));
  const rateHz = 12_000;
  // Healthy for 2 s, faulty for 2 s, healthy for 2 s.
  const samples = Float32Array.from({ length: 6 * rateHz }, (_, i) =>
    Math.sin((2 * Math.PI * (i >= 2 * rateHz && i < 4 * rateHz ? 4000 : 1000) * i) / rateHz),
  );
  writeFileSync(at("bearing.wav"), encodeWav({ sampleRateHz: rateHz, channels: 1, format: "s16le", samples }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const configWith = (...tests: readonly string[]): string => {
  const file = at("hall.yaml");
  const lines = tests.map((test) => `  - { stream: bearing, input: bearing.wav, ${test} }\n`).join("");
  const stream = `{ name: bearing, pipeline: vibration, model: ${at("tones.onnx")} }`;
  writeFileSync(file, `streams: [${stream}]\ntests:\n${lines}`);
  return file;
};

describe("Tests of pipelines in a configuration", () => {
  it("hold where a recording gives the anomalies that are expected, in kind, severity and time", async () => {
    const file = configWith(
      "name: all, expect: [{ kind: inner-race, severity: major, fromSeconds: 2, toSeconds: 4 }]",
      "name: kind alone, expect: [{ kind: inner-race }]",
    );
    expect(await runCli("config", "test", file)).toEqual({
      code: 0,
      stdout: "ok   all\nok   kind alone\n",
      stderr: "2 of 2 tests hold\n",
    });
  });

  it("fail with what was expected and got, and exit code 1", async () => {
    const file = configWith(
      "name: none, expect: []",
      "name: late, withinSeconds: 0.5, expect: [{ kind: inner-race, fromSeconds: 3 }]",
      "name: two, expect: [{ kind: inner-race }, { kind: inner-race }]",
      "name: other, expect: [{ kind: inner-race, severity: minor }]",
    );
    const { code, stdout, stderr } = await runCli("config", "test", file);
    const got = String.raw`got major inner-race from \d\.\d s to \d\.\d s`;
    expect([code, stderr]).toEqual([1, "0 of 4 tests hold\n"]);
    expect(stdout.split("\n")).toEqual([
      "FAIL none",
      expect.stringMatching(new RegExp(`^ {5}expected no further anomaly, ${got}$`)),
      "FAIL late",
      expect.stringMatching(new RegExp(`^ {5}expected inner-race from 3.0 s, ${got}$`)),
      "FAIL two",
      "     expected inner-race, got none",
      "FAIL other",
      expect.stringMatching(new RegExp(`^ {5}expected minor inner-race, ${got}$`)),
      "",
    ]);
    const { tests, ok } = JSON.parse((await runCli("config", "test", file, "--json")).stdout);
    expect([ok, tests.map((test: { ok: boolean }) => test.ok)]).toEqual([false, [false, false, false, false]]);
  });

  it("follow the settings, from flags too: a rule that nothing meets raises nothing", async () => {
    const file = configWith("name: none, expect: []");
    const deaf = ["--set", "streams.0.decisions=[{ label: inner-race, confirm: 4000, window: 4000 }]"];
    expect(await runCli("config", "test", file, ...deaf)).toMatchObject({ code: 0 });
    expect(await runCli("config", "check", file, "--set", "log.level=loud")).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^--set log\.level log\.level: expected one of "debug"/),
    });
  });

  it("name a stream and a recording that there are", async () => {
    const file = configWith("name: t, expect: []");
    const wrong = await runCli("config", "test", file, "--set", "tests.0.stream=bearnig");
    expect(wrong).toMatchObject({ code: 78, stderr: expect.stringMatching(/did you mean bearing\?/) });
    const missing = await runCli("config", "test", file, "--set", "tests.0.input=none.wav");
    expect(missing).toMatchObject({ code: 66, stderr: expect.stringMatching(/none\.wav: expected a file/) });
  });
});
