import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeIdx } from "../../../agent/recordings/idx.ts";
import { decodeLogMel, parseLogMelIndex } from "../../../agent/recordings/log-mel-pack.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { recordingOf, sampleTimeNs } from "../../../agent/recordings/recording.ts";
import { encodeWav } from "../../../agent/recordings/wav.ts";
import { dataDir } from "../../support/data.ts";

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-recordings-"));

describe("recordingOf", () => {
  it("cuts blocks whose times follow the samples, each with its own memory, never across a gap", () => {
    const samples = Float32Array.from({ length: 10 }, (_, i) => i);
    const recording = recordingOf({
      stream: "s",
      channels: ["a", "b"],
      units: ["", ""],
      sampleRateHz: 3,
      segments: [
        { startAtNs: 0n, samples },
        { startAtNs: 9_000_000_000n, samples: Float32Array.of(1, 2) },
      ],
    });
    const blocks = [...recording.blocks(2 / 3)];
    expect(blocks.map((block) => block.startAtNs)).toEqual([0n, 666_666_667n, 1_333_333_333n, 9_000_000_000n]);
    expect(blocks.map((block) => block.samples.length)).toEqual([4, 4, 2, 2]);
    samples.fill(-1);
    expect([...(blocks[1]?.samples ?? [])]).toEqual([4, 5, 6, 7]);
  });

  it("times the last sample of a day at 16 kHz without an error of one nanosecond", () => {
    expect(sampleTimeNs(5n, 86400 * 16000, 16000)).toBe(86_400_000_000_005n);
  });
});

describe("openRecording", () => {
  it("reads a WAV by its content, in physical units of a given full scale", async () => {
    const path = join(folder, "a.bin");
    writeFileSync(
      path,
      encodeWav({ sampleRateHz: 8, channels: 1, format: "s16le", samples: Float32Array.of(0.5, -0.25) }),
    );
    const recording = await openRecording(path, { fullScale: 4, startAtNs: 7n });
    expect(recording.segments).toEqual([{ startAtNs: 7n, samples: Float32Array.of(2, -1) }]);
  });

  it("fails with 66 where nothing is and with 65 where it is not a recording", async () => {
    writeFileSync(join(folder, "note.md"), "hello");
    writeFileSync(join(folder, "broken.wav"), "RIFF");
    const missing = openRecording(join(folder, "none.wav"));
    await expect(missing).rejects.toMatchObject({
      exitCode: 66,
      message: expect.stringMatching(/none\.wav: expected .*ENOENT/),
    });
    await expect(openRecording(join(folder, "no-record"))).rejects.toMatchObject({ exitCode: 66 });
    await expect(openRecording(folder)).rejects.toMatchObject({ exitCode: 66 });
    for (const name of ["note.md", "broken.wav"]) {
      await expect(openRecording(join(folder, name))).rejects.toMatchObject({ name: "RecordingError", exitCode: 65 });
    }
  });
});

describe("decodeIdx", () => {
  it("reads shape and bytes, plain or gzipped, and refuses what does not add up", () => {
    const bytes = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
    for (const file of [bytes, gzipSync(bytes)]) {
      expect(decodeIdx(file, "x")).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    }
    for (const file of [
      bytes.subarray(0, 17),
      bytes.subarray(0, 6),
      new Uint8Array(),
      gzipSync(bytes).subarray(0, 20),
    ]) {
      expect(() => decodeIdx(file, "x")).toThrow(/^x: expected .*, got /);
    }
  });
});

describe.skipIf(dataDir === undefined)("Packs of others (skipped where $OHMWATCH_DATA is missing)", () => {
  it("hold 42,273 clips for training and 5,054 for validation, as pictures of 98 × 40 levels", () => {
    const clips = parseLogMelIndex(
      readFileSync(join(dataDir ?? "", "speech-commands/log-mel.tsv"), "utf8"),
      "log-mel.tsv",
    );
    const count = (split: string) => clips.filter((clip) => clip.split === split).length;
    expect([count("training"), count("validation"), clips.length]).toEqual([42273, 5054, 47327]);
    const pack = readFileSync(join(dataDir ?? "", "speech-commands/log-mel.jpgpack"));
    const levels = decodeLogMel(pack, clips.at(-1)!);
    expect(levels).toHaveLength(98 * 40);
    expect(new Set(levels).size).toBeGreaterThan(20);
    expect(() => decodeLogMel(pack, { offset: 3, bytes: 50 })).toThrow("log-mel at 3: expected a JPEG, got 50 bytes");
  });

  it("of MNIST hold 5,000 test labels 0 … 9", () => {
    const labels = decodeIdx(readFileSync(join(dataDir ?? "", "mnist/t5k-even-labels-idx1-ubyte.gz")), "labels");
    expect([labels.shape, Math.min(...labels.data), Math.max(...labels.data)]).toEqual([[5000], 0, 9]);
  });
});
