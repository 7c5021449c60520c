import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LifeReport } from "../../../agent/evaluation/life-page.ts";
import { runCli } from "../../support/run-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-lifetime-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two chips that lose 2 and 4 points in ten years, at 1 mJ of upkeep beside 10 J of inferences. */
const report: LifeReport = {
  ...{ model: "tones", device: "pcm", data: "two tones", samples: 100, figure: "accuracy", digital: 1 },
  inferencesPerSecond: 1,
  lives: [
    {
      policy: "full policy",
      lives: [0.98, 0.96].map((last) => ({
        rows: [1, 1, 1, 1, last].map((figure, n) => ({ ageSeconds: 2500 * n, figure, risk: undefined })),
        ...{ steps: { calibrate: 3 }, reads: 1200, pulses: 7, joules: 1e-3, mostPulses: 2, inferenceJoules: 1e-3 },
      })),
    },
  ],
};

it("lifetime --from makes the page and its picture of reports that were made before", async () => {
  const file = join(folder, "lives.jsonl");
  writeFileSync(file, `${JSON.stringify(report)}\n`);
  const { code, stdout, stderr } = await runCli("lifetime", "--from", file, "--out", folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const row =
    "| full policy | 100.0 % | 100.0 % | 100.0 % | 100.0 % | 97.0 % | 3.00 | 1,200 | 7 | 2 | 1 mJ | 0.0100 % | 3 calibrate |";
  expect(stdout).toContain(row);
  const page = readFileSync(join(folder, "lifetime.md"), "utf8");
  expect(page).toContain(row);
  expect(page).toContain(
    "With full policy 0 of 1 stay within 1.0 point of the new chip for ten years; it takes at most 0.01 %",
  );
  expect(existsSync(join(folder, "lifetime-tones.svg"))).toBe(true);
});

it("lifetime wants either recordings or reports, and says which line of a file is neither", async () => {
  const neither = await runCli("lifetime");
  expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining("expected either --data or --from")]);
  const file = join(folder, "other.jsonl");
  writeFileSync(file, `${JSON.stringify(report)}\n{"model": 3}\n`);
  const other = await runCli("lifetime", "--from", file);
  expect([other.code, other.stderr]).toEqual([65, expect.stringContaining(`${file}, line 2: expected a report`)]);
  const none = await runCli("lifetime", "--from", join(folder, "none"));
  expect(none.code).toBe(66);
});
