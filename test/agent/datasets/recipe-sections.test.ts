import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRecipe } from "../../../agent/datasets/recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "recipe-"));
afterAll(() => rmSync(folder, { recursive: true }));

const zoo = new URL("../../../models/zoo/", import.meta.url).pathname;
const keywords = readFileSync(join(zoo, "keywords-12/recipe.yaml"), "utf8");

/** What reading the recipe of keywords says when `from` stands as `to` in it. */
const complaint = (from: string, to: string): string => {
  const changed = keywords.replace(from, to);
  expect(changed).not.toBe(keywords);
  const path = join(folder, "recipe.yaml");
  writeFileSync(path, changed);
  try {
    readRecipe(path);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("A recipe", () => {
  it.each(readdirSync(zoo))("of the zoo is taken: %s", (name) => {
    expect(readRecipe(join(zoo, name, "recipe.yaml")).name).toBe(name);
  });

  it.each([
    ["  labelSmoothing:", "  labelSmothing:", "training: ", "unknown key labelSmothing, did you mean labelSmoothing?"],
    ["weightClip:", "weigthClip:", "training.hardware: ", "unknown key weigthClip, did you mean weightClip?"],
    ["channels: 32, padding", "chanels: 32, padding", "net.layers.0: ", "did you mean channels?"],
    ["kind: conv,", "kind: konv,", "net.layers.0.kind: ", "got konv, did you mean conv?"],
    ["dacBits:", "dacBit:", "mapping: ", "did you mean dacBits?"],
    ["shiftFrames:", "shiftFrame:", "augment: ", "did you mean shiftFrames?"],
    ["workers: 2", "workers: 3", "training.workers: ", "expected one of 1|2"],
    ["data: { kind: keywords }", "data: { kind: keywords, loads: [1] }", "data: ", "unknown key loads"],
  ])("is refused with %j as %j, by place and by what was perhaps meant", (from, to, place, sentence) => {
    const said = complaint(from, to);
    expect(said).toContain(place);
    expect(said).toContain(sentence);
  });
});
