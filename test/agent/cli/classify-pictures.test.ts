import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classifyPictures } from "../../../agent/cli/classify-pictures.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { modelBytes, openModel, zooNames } from "../../../agent/models.ts";
import { parseModel } from "../../../models/load.ts";

const folder = mkdtempSync(join(tmpdir(), "classify-"));
afterAll(() => rmSync(folder, { recursive: true }));

const chip = configSchema.shape.chip.parse({ seed: 1, ageSeconds: 86400 });

const models = zooNames().filter((name) => name.startsWith("digits-"));

describe.skipIf(models.length === 0).each(models)("classifyPictures with %s", (name) => {
  const { manifest } = parseModel(modelBytes(name));
  const { scale, shape } = manifest.input;
  const [height = 0, width = 0] = shape;
  /** The model's test vectors as one file of pictures: grey levels whose codes are the vectors'. */
  const pictures = manifest.testVectors.map(({ input }) => input.map((code) => Math.round(code * scale * 255)));
  const path = join(folder, `${name}.idx`);
  const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, pictures.length, 0, 0, 0, height, 0, 0, 0, width]);
  writeFileSync(path, Buffer.concat([header, Buffer.from(pictures.flat())]));
  const labels = manifest.testVectors.map(({ output }) => manifest.labels[output.indexOf(Math.max(...output))]);

  it("gives the labels and probabilities of its test vectors, within a code's rounding", () => {
    const lines = [...classifyPictures(path, openModel(name, { ...chip, device: "digital" }))];
    expect(lines.map(({ label }) => label)).toEqual(labels);
    lines.forEach(({ picture, probability, margin }, i) => {
      expect(picture).toBe(i);
      expect(Math.abs(probability - Math.max(...manifest.testVectors[i]!.output))).toBeLessThan(1e-3);
      expect(margin).toBeLessThanOrEqual(probability);
    });
  });

  it("gives the same labels on a chip of PCM after a day", () => {
    const lines = [...classifyPictures(path, openModel(name, { ...chip, device: "pcm-nandakumar-2019" }))];
    expect(lines.map(({ label }) => label)).toEqual(labels);
  });

  it("says what size it takes", () => {
    const small = join(folder, "small.pgm");
    writeFileSync(small, "P2 2 1 255\n1 2\n");
    expect(() => [...classifyPictures(small, openModel(name, { ...chip, device: "digital" }))]).toThrow(
      "expected pictures of 28 × 28, got 1 × 2",
    );
  });
});
