import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** What the documents name must exist: files, folders and tests, by their path or the end of it. */

const root = fileURLToPath(new URL("..", import.meta.url));

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder)).flatMap((name) => {
    if (["node_modules", ".git", "dist"].includes(name)) return [];
    const path = join(folder, name);
    return statSync(join(root, path)).isDirectory() ? filesBelow(path) : [path];
  });

const files = filesBelow(".");
const folders = [...new Set(files.map((file) => `${dirname(file)}/`))];
const documents = files.filter((file) => file === "README.md" || /^docs\/.*\.md$/.test(file));

/** `a/{b,c}.ts` as `a/b.ts`, `a/c.ts`. */
const expandBraces = (path: string): string[] => {
  const braces = /^(.*?)\{([^}]*)\}(.*)$/.exec(path);
  if (braces === null) return [path];
  return braces[2]!.split(",").flatMap((part) => expandBraces(`${braces[1]}${part}${braces[3]}`));
};

/** Whether a path, or the end of one, is there; `*` and `<name>` stand for one name. */
const exists = (named: string): boolean => {
  const pattern = named
    .replace(/^\.\//, "")
    .replace(/<\w+>|\*/g, "\u0000")
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("\u0000", "[^/]+");
  const end = new RegExp(`(^|/)${pattern}$`);
  return (named.endsWith("/") ? folders : files).some((path) => end.test(path));
};

/** Paths that a document names between backticks: sources anywhere, other files and folders by more than their name. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`([^`\s]+)`/g)]
    .map((match) => match[1]!)
    .filter((code) => /^[\w.{},*<>/-]+$/.test(code) && !/^(\.\.|\/|\{)/.test(code))
    .filter((code) => /\.(ts|proto)$/.test(code) || /^[^*]*\/.*(\/|\.(md|yaml|json|svg|onnx))$/.test(code))
    .flatMap(expandBraces);

/** Targets of a document's links within the repository, relative to the root. */
const linksIn = (document: string, text: string): string[] =>
  [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => relative(root, join(root, dirname(document), target)));

describe("The documents", () => {
  it("name at least fifty paths, the README among those that do", () => {
    expect(documents).toContain("README.md");
    expect(documents.flatMap((file) => pathsIn(readFileSync(join(root, file), "utf8"))).length).toBeGreaterThan(50);
  });

  for (const document of documents) {
    const text = readFileSync(join(root, document), "utf8");
    it(`name in ${document} only files that exist, and link to nothing that does not`, () => {
      expect(pathsIn(text).filter((path) => !exists(path))).toEqual([]);
      expect(linksIn(document, text).filter((path) => !existsSync(join(root, path)))).toEqual([]);
    });
  }

  it("name in docs/asked-for.md, for each row, a test whose words are in its file", () => {
    const page = readFileSync(join(root, "docs/asked-for.md"), "utf8");
    const rows = [...page.matchAll(/^\| (\d+) \|(.*)\|$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(
      [...Array(15).keys()].map((i) => i + 1).concat([18, 19, 21, 22, 23, 24, 25]),
    );
    for (const [, number, row] of rows) {
      const named = row!.split(/(?=`test\/)/).slice(1);
      expect(named.length, `row ${number}`).toBeGreaterThan(0);
      for (const part of named) {
        const file = /^`(test\/[^`]+)`/.exec(part)![1]!;
        const words = [...part.matchAll(/“([^”]+)”/g)].map(([, quoted]) => quoted!);
        expect(words.length, `row ${number}: words of ${file}`).toBeGreaterThan(0);
        const text = readFileSync(join(root, file), "utf8");
        for (const word of words) expect(text.includes(word), `row ${number}: “${word}” in ${file}`).toBe(true);
      }
    }
  });

  it("are found out when they do not", () => {
    expect(exists("models/crossbar/tile.ts")).toBe(true);
    expect(exists("crossbar/tiles.ts")).toBe(false);
    expect(exists("ile.ts")).toBe(false);
    expect(pathsIn("see `agent/nothing.ts`, `a word`, `pipelines/{ecg,none}.ts`")).toEqual([
      "agent/nothing.ts",
      "pipelines/ecg.ts",
      "pipelines/none.ts",
    ]);
  });
});
