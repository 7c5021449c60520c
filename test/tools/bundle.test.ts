import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bundleProgram, root } from "../../tools/bundle.ts";

const sources = ["agent", "pipelines", "models"].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("assembly/"))
    .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(`${root}/${folder}/${name}`, "utf8") })),
);
const byUrl = sources.flatMap(({ text }) =>
  [...text.matchAll(/new URL\("\.{1,2}\/([\w./-]+)\.ts", import\.meta\.url\)/g)].map(([, name]) => name!),
);

describe("The bundle of the program", () => {
  it("sees each module that is named by URL, in the one way that it understands", () => {
    const otherwise = sources
      .filter(({ path }) => path !== "agent/program-files.ts")
      .filter(({ text }) =>
        /import\.meta/.test(text.replace(/new URL\("\.{1,2}\/[\w./-]+\.ts", import\.meta\.url\)/g, "")),
      );
    expect(otherwise.map(({ path }) => path)).toEqual([]);
    expect(byUrl.length).toBeGreaterThan(0);
  });

  it.each(["dist", "binary"] as const)("has a bundle of its own for each of them: %s", async (kind) => {
    const { main, threads } = await bundleProgram({ kind });
    const names = [...threads.keys()];
    for (const name of byUrl)
      expect(names.some((thread) => thread.endsWith(`${name.split("/").at(-1)}.mjs`))).toBe(true);
    for (const code of [main, ...threads.values()]) expect(code).not.toMatch(/new URL\("[^"]*\.ts"/);
    // A CommonJS file of one program cannot hold these.
    if (kind === "binary") expect(main).not.toMatch(/import\.meta|^await /m);
  });
});
