import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  foreign,
  foreignWords,
  hasProgram,
  ownBinary,
  packaged,
  plainEnvironment,
  runWords,
} from "../support/packaged.ts";

const home = mkdtempSync(join(tmpdir(), "ohmwatch-foreign-"));
afterAll(() => rmSync(home, { recursive: true }));
const both = async (...args: readonly string[]) =>
  Promise.all([
    runWords([...foreignWords, ...args], plainEnvironment(home)),
    runWords([ownBinary, ...args], plainEnvironment(home)),
  ]);

describe.skipIf(packaged === undefined || !hasProgram(foreignWords[0]!, "--version"))(
  `The binary for ${foreign}, by emulation (skipped without OHMWATCH_PACKAGED or qemu)`,
  () => {
    it("says the same version", async () => {
      const [there, here] = await both("--version");
      expect(there).toEqual(here);
      expect(there.code).toBe(0);
    });

    it("passes its self-test, and computes the same bits: every model, digital and on a noisy chip", async () => {
      const [there, here] = await both("self-test", "--json");
      expect(there).toMatchObject({ code: 0, stderr: "" });
      const [a, b] = [there, here].map(
        ({ stdout }) => JSON.parse(stdout) as { findings: { check: string; values?: Record<string, unknown> }[] },
      );
      const valuesOf = (report: typeof a, check: string) =>
        report!.findings.find((finding) => finding.check === check)!.values!;
      expect(valuesOf(a, "machine")).toMatchObject({ architecture: foreign });
      expect(Object.keys(valuesOf(a, "models")).length).toBeGreaterThan(0);
      expect(valuesOf(a, "models")).toEqual(valuesOf(b, "models"));
    });

    it("classifies a recording to the same text, to the last digit", async () => {
      const [there, here] = await both("classify", "--json", "--model", "ecg-beats", "fixtures/ecg/ecg.hea");
      expect(there).toMatchObject({ code: 0, stderr: "" });
      expect(there.stdout.split("\n").length).toBeGreaterThan(20);
      expect(there.stdout).toBe(here.stdout);
    });
  },
);
