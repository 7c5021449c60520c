import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findRecordings } from "../../../agent/cli/demo-recordings.ts";
import { encodeWav } from "../../../agent/recordings/wav.ts";

let folder: string;
const wav = (sampleRateHz: number) =>
  encodeWav({ sampleRateHz, channels: 1, format: "s16le", samples: new Float32Array(sampleRateHz) });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-recordings-"));
  mkdirSync(join(folder, "mixed"));
  mkdirSync(join(folder, "named/bearings"), { recursive: true });
  writeFileSync(join(folder, "mixed/word.wav"), wav(16_000));
  writeFileSync(join(folder, "mixed/gearbox.wav"), wav(12_000));
  writeFileSync(join(folder, "mixed/broken.wav"), "RIFF");
  writeFileSync(join(folder, "mixed/pump.csv"), "datetime,flow\n2020-01-01T00:00:00Z,1\n2020-01-01T00:00:01Z,2\n");
  writeFileSync(join(folder, "named/word.wav"), wav(16_000));
  writeFileSync(join(folder, "named/bearings/fast.wav"), wav(48_000));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ratesOf = (recordings: readonly { readonly sampleRateHz: number }[]) => recordings.map((r) => r.sampleRateHz);

it("takes WAV files for vibration by an accelerometer's rate, and says which file it could not read", async () => {
  const skipped: string[] = [];
  const found = await findRecordings(join(folder, "mixed"), ["flow"], (sentence) => skipped.push(sentence));
  expect(ratesOf(found.audio)).toEqual([16_000]);
  expect(ratesOf(found.vibration)).toEqual([12_000]);
  expect(found.sensor).toHaveLength(1);
  expect(skipped.length).toBeGreaterThan(0);
  for (const sentence of skipped) expect(sentence).toContain("broken.wav");
});

it("takes WAV files for vibration by the name of their folder, whatever their rate", async () => {
  const found = await findRecordings(join(folder, "named"), [], (sentence) => expect.fail(sentence));
  expect(ratesOf(found.audio)).toEqual([16_000]);
  expect(ratesOf(found.vibration)).toEqual([48_000]);
});
