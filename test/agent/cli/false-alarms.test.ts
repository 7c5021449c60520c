import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mostExpected } from "../../../agent/evaluation/false-alarms.ts";
import { runCli } from "../../support/run-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-false-alarms-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A WAV of 16 kHz and 16 bits. */
const wavOf = (samples: readonly number[]): Uint8Array => {
  const head = Buffer.from("RIFF....WAVEfmt ....................data....", "latin1");
  head.writeUInt32LE(36 + 2 * samples.length, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt32LE(0x10001, 20);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt32LE(0x100002, 32);
  head.writeUInt32LE(2 * samples.length, 40);
  const data = Buffer.alloc(2 * samples.length);
  samples.forEach((x, i) => {
    data.writeInt16LE(Math.round(32767 * x), 2 * i);
  });
  return Buffer.concat([head, data]);
};

describe("false-alarms", () => {
  it("counts what the model's rules raise, at each level, and the hours", async () => {
    const hum = Array.from({ length: 16_000 * 6 }, (_, i) => 0.1 * Math.sin((2 * Math.PI * 100 * i) / 16_000));
    writeFileSync(join(folder, "hum.wav"), wavOf(hum));
    const args = ["--model", "keywords-12", "--device", "digital", "--json"];
    const quiet = await runCli("false-alarms", folder, ...args, "--levels", "0,-20");
    expect(quiet.stderr).toBe("");
    const report = JSON.parse(quiet.stdout) as Record<string, number>;
    expect(report).toMatchObject({ files: 1, alarms: 0, perHour: 0, byLabel: {} });
    expect(report["hours"]).toBeCloseTo(12 / 3600, 9);
    // Real keywords must count.
    const loud = await runCli("false-alarms", "fixtures/audio/scene.wav", ...args);
    const heard = JSON.parse(loud.stdout) as { alarms: number; hours: number; perHour: number };
    expect(heard.alarms).toBeGreaterThan(0);
    expect(heard.perHour).toBeCloseTo(heard.alarms / heard.hours, 9);
  }, 60_000);

  it("bounds the rate as Garwood's tables do: 3.00, 4.74, 6.30, 16.96 for 0, 1, 2 and 10 events", () => {
    expect([0, 1, 2, 10].map((n) => Number(mostExpected(n).toFixed(2)))).toEqual([3, 4.74, 6.3, 16.96]);
  });
});
