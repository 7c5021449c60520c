import type { DecisionRule } from "../../models/manifest.ts";
import { percent } from "../percent.ts";
import type { DoubtReport } from "./doubt-report.ts";
import type { RaisedReport } from "./false-alarms.ts";
import { table } from "./markdown.ts";

/** The decision rules, those that are alike together: `yes, no: 0.9 in 3 of 4, ends below 0.5`. */
export const rulesLine = (decisions: readonly DecisionRule[]): string[] => {
  const byRule = new Map<string, string[]>();
  for (const { label, enter, leave, confirm, window } of decisions) {
    const rule = `a score of ${enter} in ${confirm} of ${window} answers, ends below ${leave}`;
    byRule.set(rule, [...(byRule.get(rule) ?? []), label]);
  }
  const rules = [...byRule].map(([rule, labels]) => `${labels.join(", ")}: ${rule}`);
  return rules.length === 0 ? [] : [`- **Raises**: ${rules.join("; ")}`];
};

/** What marking answers within the noise of the chip buys, repeating them, redoing them digitally. */
export const doubtSection = (report: DoubtReport | undefined): string[] => {
  if (report === undefined) return [];
  const { data, seeds, sigmas, reads, digital, rows } = report;
  return [
    "## Answers within the noise of the chip",
    "",
    `An answer whose margin is below ${sigmas} standard deviations of the chip's noise is marked \`uncertain\`, or read ${reads} times in all and averaged, or redone without the chip, as the policy says. Global compensation, ${seeds} chips each, ${data}; digital ${percent(digital)}.`,
    "",
    ...table(
      ["device, age", "as they are", "marked", "the unmarked", "repeated", "reads an answer", "redone digitally"],
      rows.map((row) => [
        `${row.device}, ${row.age}`,
        percent(row.asTheyAre),
        percent(row.marked),
        percent(row.unmarked),
        percent(row.repeated),
        row.reads.toFixed(2),
        percent(row.redone),
      ]),
    ),
  ];
};

/** Alarms where there is nothing to find, and, of a model of words, how many of them are heard. */
export const raisedSection = (reports: readonly RaisedReport[]): string[] => {
  if (reports.length === 0) return [];
  const on = ({ device, ageSeconds }: RaisedReport) =>
    ageSeconds > 0 ? `${device}, ${ageSeconds / 86_400} d` : device;
  const louder = (levels: readonly number[]) =>
    levels.every((level) => level === 0) ? "" : `, at ${levels.join(", ")} dB`;
  const words = reports.flatMap((report) => (report.words ? [[on(report), report.words] as const] : []));
  return [
    "## What is raised",
    "",
    "Alarms by the rules above in recordings that hold nothing to find; in brackets the upper end of the 95 % interval.",
    "",
    ...table(
      ["recordings", "on", "hours", "alarms", "an hour", "of these"],
      reports.flatMap((report) =>
        report.nothing.map(({ recordings, levels, hours, alarms, perHour, atMostPerHour, byLabel }) => [
          `${recordings}${louder(levels)}`,
          on(report),
          hours.toFixed(2),
          `${alarms}`,
          `${perHour.toFixed(1)} (${atMostPerHour.toFixed(1)})`,
          Object.entries(byLabel)
            .sort(([, a], [, b]) => b - a)
            .map(([label, n]) => `${label} ${n}`)
            .join(", "),
        ]),
      ),
    ),
    ...(words.length === 0
      ? []
      : [
          "Words of the test, each alone amid near silence, for which an alarm is raised:",
          "",
          ...table(
            ["on", "words", "heard", "also or only as another"],
            words.map(([device, { words: n, heard, takenForOthers }]) => [
              device,
              `${n}`,
              percent(heard),
              percent(takenForOthers),
            ]),
          ),
        ]),
  ];
};
