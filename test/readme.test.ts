import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { zooNames } from "../agent/models.ts";
import { runCli } from "./support/run-cli.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const readme = read("README.md");
const continuous = read(".ci/run");
const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts);

/** Indented by four: what the README gives to type. */
const typed = readme
  .split("\n")
  .filter((line) => /^ {4}(npm|node|ohmwatch) /.test(line))
  .map((line) => line.trim());
const cli = "npm run --silent ohmwatch -- ";
const withData = (line: string): boolean => line.includes("DIR");

describe("The README", () => {
  it("gives the two commands for a fresh machine, and .ci/run runs them", () => {
    expect(typed.filter((line) => !line.startsWith(cli))).toEqual(["npm ci && npm start", "npm ci && npm test"]);
    for (const command of ["npm ci", "npm test", "npm --silent start"]) expect(continuous).toContain(command);
  });

  it("names only scripts that there are, and .ci/run runs each", () => {
    const named = [...readme.matchAll(/`npm run ([a-z]+)`/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(0);
    expect(scripts).toEqual(expect.arrayContaining(named));
    for (const name of named) expect(continuous).toMatch(new RegExp(`npm run (--silent )?${name}\\b`));
  });

  it.each(typed.filter((line) => line.startsWith(cli) && !withData(line)))("%s", async (line) => {
    const { code, stdout, stderr } = await runCli(...line.slice(cli.length).split(" "));
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout.split("\n").length).toBeGreaterThan(3);
  });

  interface Evaluation {
    readonly digital: Readonly<Record<string, number>>;
    readonly analog: readonly {
      readonly device: string;
      readonly age: string;
      readonly compensation: string;
      readonly figures: Readonly<Record<string, { readonly mean: number }>>;
    }[];
  }
  const rows = [...readme.matchAll(/^\| \[([\w-]+)\]\(.*?\) +\|[^|]*\| (.*?) +\| +([\d.]+) % \| +([\d.]+) % \|$/gm)];
  it("has a row for each model of the zoo", () => {
    expect([...new Set(rows.map(([, model]) => model!))].sort()).toEqual([...zooNames()]);
  });
  it.each(rows.map(([, ...cells]) => cells as [string, string, string, string]))(
    "has the figures of the evaluation: %s, %s",
    (model, figure, digital, analog) => {
      const evaluation = JSON.parse(read(`models/zoo/${model}/evaluation.json`)) as Evaluation;
      const day = evaluation.analog.find(
        ({ device, age, compensation }) =>
          device === "pcm-nandakumar-2019" && age === "1d" && compensation === "global",
      );
      expect((100 * evaluation.digital[figure]!).toFixed(1)).toBe(digital);
      expect((100 * day!.figures[figure]!.mean).toFixed(1)).toBe(analog);
    },
  );
});
