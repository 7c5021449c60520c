import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { modelBytes, zooNames } from "../../../agent/models.ts";
import { parseModel, withManifest } from "../../../models/load.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { runCli, startCli } from "../../support/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-self-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(zooNames().length === 0)("self-test", () => {
  it("finds that kernels, models and database do what they should, names the machine, and leaves nothing behind", async () => {
    const { code, stdout, stderr } = await runCli("self-test", "--json", "--state", folder);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { check: string; values?: object }[] };
    expect(ok).toBe(true);
    expect(findings.map(({ check }) => check)).toEqual(["machine", "files", "kernels", "models", "database"]);
    expect(findings[0]!.values).toMatchObject({ architecture: process.arch, node: process.versions.node });
    expect(Object.keys(findings[3]!.values!)).toEqual(zooNames());
    expect(readdirSync(folder)).toEqual([]);
  });

  it("ends with 1 and says which number is wrong where a model does not give what its test vectors say", async () => {
    const { graph, manifest } = parseModel(modelBytes("pump-anomaly"));
    const [first, ...others] = manifest.testVectors;
    const wrong = { ...first!, output: first!.output.map((value, i) => (i === 0 ? value + 1 : value)) };
    const zoo = join(folder, "zoo");
    mkdirSync(join(zoo, "pump-anomaly"), { recursive: true });
    const bytes = writeOnnx(withManifest(graph, { ...manifest, testVectors: [wrong, ...others] }));
    writeFileSync(join(zoo, "pump-anomaly", "model.onnx"), bytes);
    const { code, stdout } = await startCli(["self-test"], { OHMWATCH_ZOO: zoo }).result;
    rmSync(zoo, { recursive: true });
    expect(stdout).toMatch(/FAIL models +pump-anomaly: expected output \S+ of its test vectors, got \S+/);
    expect(stdout).toMatch(/ok +database/);
    expect(code).toBe(1);
  });
});
