import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Component, components } from "../../../models/energy/components.ts";

const physics = readFileSync(new URL("../../../docs/physics.md", import.meta.url), "utf8");

describe("The table of components", () => {
  const entries = Object.entries(components) as [string, Component][];

  it.each(entries)("stands in docs/physics.md as it is in the code: %s", (name, component) => {
    const { value, unit, nodeNanometres, basis, source } = component;
    expect(physics).toContain(`| ${name} | ${value} ${unit} | ${nodeNanometres ?? "–"} | ${basis} | ${source} |`);
  });

  it("holds positive numbers, each with a source that says something", () => {
    for (const [name, { value, source }] of entries) {
      expect(value, name).toBeGreaterThan(0);
      expect(source.length, name).toBeGreaterThan(10);
    }
  });
});
