import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  type AlarmInput,
  type AlarmStateName,
  alarmStates,
  alarmTransitions,
  stepAlarm,
} from "../../../pipelines/decisions/alarm-state.ts";

const inputs: readonly AlarmInput[] = [
  "raise",
  "return",
  "acknowledge",
  "shelve",
  "suppress",
  "release-active",
  "release-returned",
];

/** States that can be reached from one, itself among them. */
const reachableFrom = (start: AlarmStateName): ReadonlySet<AlarmStateName> => {
  const seen = new Set([start]);
  for (const state of seen) for (const input of inputs) seen.add(stepAlarm(state, input));
  return seen;
};

describe("The states of an alarm (ISA-18.2)", () => {
  it("are all reached from normal, and from each of them normal is reached again", () => {
    expect([...reachableFrom("normal")].sort()).toEqual([...alarmStates].sort());
    for (const state of alarmStates) expect(reachableFrom(state)).toContain("normal");
  });

  it("go the ways of the standard: acknowledged first, returned first, and back while unacknowledged", () => {
    const walk = (...steps: AlarmInput[]) => steps.reduce<AlarmStateName>(stepAlarm, "normal");
    expect(walk("raise")).toBe("active-unacknowledged");
    expect(walk("raise", "acknowledge")).toBe("active-acknowledged");
    expect(walk("raise", "acknowledge", "return")).toBe("normal");
    expect(walk("raise", "return")).toBe("returned-unacknowledged");
    expect(walk("raise", "return", "acknowledge")).toBe("normal");
    expect(walk("raise", "return", "raise")).toBe("active-unacknowledged");
  });

  it("ask for a new acknowledgement of what is active when it is released, and for none of what is gone", () => {
    for (const silent of ["shelved", "suppressed"] as const) {
      expect(stepAlarm(silent, "release-active")).toBe("active-unacknowledged");
      expect(stepAlarm(silent, "release-returned")).toBe("normal");
    }
  });

  it("never speak while shelved, whatever the condition does", () => {
    for (const input of ["raise", "return", "acknowledge", "suppress"] as const) {
      expect(stepAlarm("shelved", input)).toBe("shelved");
    }
  });

  it("are in docs/operations.md as they are in the code", () => {
    const text = readFileSync(fileURLToPath(new URL("../../../docs/operations.md", import.meta.url)), "utf8");
    const cells = (line: string): string[] =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
    const [header, , ...rows] = text
      .split("\n")
      .filter(
        (line) => /^\| (state|[a-z-]+ed|normal) /.test(line) || /^\|-+\|-+\|-+\|-+\|-+\|-+\|-+\|-+\|$/.test(line),
      );
    expect(cells(header!).slice(1)).toEqual([...inputs]);
    const documented = Object.fromEntries(
      rows
        .map(cells)
        .map(([state, ...next]) => [
          state,
          Object.fromEntries(next.flatMap((to, i) => (to === "" ? [] : [[inputs[i], to]]))),
        ]),
    );
    expect(documented).toEqual(alarmTransitions);
  });
});
