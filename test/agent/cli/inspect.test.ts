import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zooNames } from "../../../agent/models.ts";
import { runCli } from "../../support/run-cli.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

let folder: string;
let model: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-inspect-"));
  model = at("tones.onnx");
  const vector = { input: new Array<number>(32).fill(20), output: [0.5, 0.5] };
  writeFileSync(model, onnxOf(toneModel({ testVectors: [vector] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Names of the elements of an XML text, in order; every one that opens must close. */
const elementsOf = (xml: string): string[] => {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, slash, name, , end] of xml.matchAll(/<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    if (slash) expect(open.pop()).toBe(name);
    else {
      names.push(name!);
      if (!end) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  expect(names).toHaveLength(xml.match(/<[a-z]/g)!.length); // nothing that the pattern did not understand
  return names;
};

describe("ohmwatch inspect", () => {
  it("tells tiles, ranges, errors and costs in JSON, the same for the same seed", async () => {
    const { code, stdout } = await runCli("inspect", model, "--json", "--age", "1h");
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      model: { name: "tones", version: "1", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      chip: { device: "pcm-nandakumar-2019", seed: 1, age: "1h" },
      tiles: 1,
      testVectors: 1,
      totals: { weights: 64, multiplyAccumulates: 64 },
    });
    expect(report.layers[0]).toMatchObject({ name: "dense", outputs: 2, inputs: 32, inputMax: 6, clippedInputs: 0 });
    expect(report.components.add).toMatchObject({ unit: "J", basis: "read" });
    expect((await runCli("inspect", model, "--json", "--age", "1h")).stdout).toBe(stdout);
    expect((await runCli("inspect", model, "--json", "--age", "1h", "--seed", "2")).stdout).not.toBe(stdout);
  });

  it("prints the layers, the comparison and a verdict for people", async () => {
    const { stdout } = await runCli("inspect", model);
    expect(stdout).toMatch(/^tones 1: 64 weights on 1 tile of at most 256 × 256 pairs/);
    expect(stdout).toMatch(/\ndense +dense +2 +2×32 +64 +1 of 2×32 +0\.1 % /);
    expect(stdout).toMatch(/\nSTM32L4R5 +68\.\d nJ/); // 64 · 2833 µJ / 2.66 M
    expect(stdout).toContain('Does "over 90 % less power than a GPU" hold?\n- ');
  });

  it("asks less energy of fewer phases", async () => {
    const joules = async (...more: string[]) =>
      JSON.parse((await runCli("inspect", model, "--json", ...more)).stdout).comparison.joules;
    const [four, one] = [await joules(), await joules("--phases", "1")];
    expect(four / one).toBeGreaterThan(3);
    expect(four / one).toBeLessThan(4);
  });

  it.skipIf(!zooNames().includes("ecg-beats"))(
    "draws every tile of a model, in XML that closes what it opens",
    async () => {
      const file = at("ecg.svg");
      const report = JSON.parse((await runCli("inspect", "ecg-beats", "--json", "--out", file)).stdout);
      const svg = readFileSync(file, "utf8");
      const images = elementsOf(svg).filter((name) => name === "image");
      expect(images).toHaveLength(report.tiles + 1); // and the scale of colours
      for (const layer of report.layers) expect(svg).toContain(`>${layer.name}</text>`);
      expect(svg).toContain("after 1d");
    },
  );

  it("exits with 66 without the model, with 2 for a device that there is not, with 73 where it cannot write", async () => {
    expect(await runCli("inspect", "nothing")).toMatchObject({ code: 66 });
    const device = await runCli("inspect", model, "--device", "flux");
    expect(device).toMatchObject({ code: 2, stderr: expect.stringMatching(/Allowed choices are ideal, /) });
    const nowhere = await runCli("inspect", model, "--out", at("none/picture.svg"));
    expect(nowhere).toMatchObject({ code: 73, stderr: expect.stringMatching(/expected a file that can be written/) });
  });
});
