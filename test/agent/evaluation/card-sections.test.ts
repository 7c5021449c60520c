import { describe, expect, it } from "vitest";
import { quietFolder } from "../../../agent/cli/measure-model.ts";
import { raisedSection, rulesLine } from "../../../agent/evaluation/card-sections.ts";

const rule = { severity: "minor", leave: 0.5, refractoryMs: 800 } as const;

describe("A card", () => {
  it("tells the rules, labels that share one together", () => {
    const lines = rulesLine([
      { ...rule, label: "yes", enter: 0.9, confirm: 3, window: 4 },
      { ...rule, label: "no", enter: 0.5, confirm: 4, window: 4 },
      { ...rule, label: "up", enter: 0.9, confirm: 3, window: 4 },
    ]);
    expect(lines).toEqual([
      "- **Raises**: yes, up: a score of 0.9 in 3 of 4 answers, ends below 0.5; no: a score of 0.5 in 4 of 4 answers, ends below 0.5",
    ]);
    expect(rulesLine([])).toEqual([]);
  });

  it("tells what is raised where nothing is to be found, and how many words are heard", () => {
    const talk = { recordings: "talk", levels: [0], files: 60, hours: 2, alarms: 5, perHour: 2.5, atMostPerHour: 5.26 };
    const nothing = [{ ...talk, byLabel: { go: 1, left: 4 } }];
    const words = { words: 1785, heard: 0.925, takenForOthers: 0.012 };
    const text = raisedSection([{ device: "pcm-nandakumar-2019", ageSeconds: 86_400, nothing, words }]).join("\n");
    expect(text).toContain("| talk | pcm-nandakumar-2019, 1 d | 2.00 | 5 | 2.5 (5.3) | left 4, go 1 |");
    expect(text).toContain("| pcm-nandakumar-2019, 1 d | 1785 | 92.5 % | 1.2 % |");
    expect(raisedSection([])).toEqual([]);
  });
});

describe("A folder of recordings with nothing to find", () => {
  it("is a path, and after an @ the levels of its runs in dB", () => {
    expect(quietFolder("/data/talk")).toEqual({ path: "/data/talk", levels: [0] });
    expect(quietFolder("noise@-30,0,7.5")).toEqual({ path: "noise", levels: [-30, 0, 7.5] });
    expect(() => quietFolder("noise@-300")).toThrow("expected a number -120 … 120");
  });
});
