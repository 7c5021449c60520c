import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rulesLine } from "../../../agent/evaluation/card-sections.ts";
import type { DoubtReport } from "../../../agent/evaluation/doubt-report.ts";
import type { RaisedReport } from "../../../agent/evaluation/false-alarms.ts";
import type { AgedFigures } from "../../../agent/evaluation/lifetime.ts";
import { modelBytes, zooNames } from "../../../agent/models.ts";
import { parseModel } from "../../../models/load.ts";

interface Evaluation {
  readonly seeds: number;
  readonly analog: readonly AgedFigures[];
  readonly doubt?: DoubtReport;
  readonly raised?: readonly RaisedReport[];
}

const textOf = (path: string) => readFileSync(new URL(`../../../models/zoo/${path}`, import.meta.url), "utf8");
const devices = ["pcm-nandakumar-2019", "rram-wan-2022"];

describe.each([...zooNames()])("The evaluation of %s", (name) => {
  const evaluation = JSON.parse(textOf(`${name}/evaluation.json`)) as Evaluation;
  const { manifest } = parseModel(modelBytes(name));
  const card = textOf(`${name}/card.md`);

  it("holds both devices at five ages with three compensations on ten chips, mean, spread and worst", () => {
    expect(evaluation.seeds).toBeGreaterThanOrEqual(10);
    const wanted = devices.flatMap((device) =>
      ["0s", "1h", "1d", "30d", "1y"].flatMap((age) =>
        ["none", "global", "per-column"].map((compensation) => `${device} ${age} ${compensation}`),
      ),
    );
    expect(evaluation.analog.map((row) => `${row.device} ${row.age} ${row.compensation}`)).toEqual(wanted);
    for (const { mean, std, worst } of evaluation.analog) {
      expect(worst).toBeLessThanOrEqual(mean + 1e-12);
      expect(std).toBeGreaterThanOrEqual(0);
    }
  });

  it("is of this version with these rules, and its card says so", () => {
    expect(card.split("\n")[0]).toBe(`# ${name} ${manifest.version}`);
    for (const line of rulesLine(manifest.decisions)) expect(card).toContain(line);
  });

  it.runIf(manifest.task === "classifier")(
    "says what doubt buys: the unmarked are righter, reads are of the marked",
    () => {
      const { rows, reads, digital } = evaluation.doubt!;
      expect(rows.map(({ device, age }) => `${device} ${age}`)).toEqual(
        devices.flatMap((device) => ["1d", "1y"].map((age) => `${device} ${age}`)),
      );
      for (const row of rows) {
        expect(row.unmarked).toBeGreaterThanOrEqual(row.asTheyAre - 1e-12);
        // Repeats draw their own read noise: as many are marked, to within a point.
        expect(Math.abs((row.reads - 1) / (reads - 1) - row.marked)).toBeLessThan(0.01);
        expect(row.redone).toBeGreaterThan(digital - 0.01);
      }
    },
  );
});

describe("The evaluation of keywords-12", () => {
  it("counts false alarms in noise and in talk, and the words heard, digitally and on PCM of a day", () => {
    const { raised = [] } = JSON.parse(textOf("keywords-12/evaluation.json")) as Evaluation;
    expect(raised.map(({ device, ageSeconds }) => [device, ageSeconds])).toEqual([
      ["digital", 0],
      [devices[0], 86_400],
    ]);
    for (const { nothing, words } of raised) {
      expect(nothing.map(({ recordings }) => recordings)).toEqual(["_background_noise_", "talk"]);
      for (const { hours, alarms, perHour, byLabel } of nothing) {
        expect(perHour).toBeCloseTo(alarms / hours, 9);
        expect(Object.values(byLabel).reduce((sum, n) => sum + n, 0)).toBe(alarms);
      }
      expect(words!.words).toBe(1785);
    }
    const page = readFileSync(new URL("../../../docs/training.md", import.meta.url), "utf8");
    const rates = (which: number) =>
      raised.map(
        ({ nothing }) => `${nothing[which]!.perHour.toFixed(1)} (${nothing[which]!.atMostPerHour.toFixed(1)})`,
      );
    expect(page).toContain(`| noise, 0.55 h | ${rates(0).join(" | ")} |`);
    expect(page).toContain(`| talk, 1.01 h | ${rates(1).join(" | ")} |`);
    const heard = raised.map(({ words }) => `${(100 * words!.heard).toFixed(1)} %`);
    expect(page).toContain(`| words heard, of 1785 | ${heard.join(" | ")} |`);
  });
});
