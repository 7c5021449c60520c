import { describe, expect, it } from "vitest";
import { type AgentEvent, Telemetry } from "../../agent/telemetry/events.ts";

const rejected = (stream: string, detail: string, reason = "empty"): AgentEvent => ({
  name: "PayloadRejected",
  stream,
  reason,
  detail,
});

const setUp = () => {
  let nowMs = 0;
  const lines: { fields: Record<string, unknown>; message: string }[] = [];
  const line = (fields: Record<string, unknown>, message: string) => void lines.push({ fields, message });
  const telemetry = new Telemetry({ info: line, warn: line, error: line }, () => nowMs);
  return {
    telemetry,
    lines,
    wait: (seconds: number) => {
      nowMs += seconds * 1000;
    },
  };
};

describe("An event that keeps coming", () => {
  it("is written at once, then once a minute with how many it stands for, and each is counted", () => {
    const { telemetry, lines, wait } = setUp();
    for (let second = 0; second < 150; second++) {
      telemetry.emit(rejected("a", `payload ${second}`));
      telemetry.flush();
      wait(1);
    }
    expect(lines.map(({ message, fields }) => [message, fields["repeated"], fields["total"]])).toEqual([
      ["payload 0", undefined, 1],
      ["payload 60", 59, 61],
      ["payload 120", 59, 121],
    ]);
    wait(60);
    telemetry.flush();
    // The 29 after second 120: the last of them stands for itself and 28 others.
    expect(lines.at(-1)).toMatchObject({ message: "payload 149", fields: { repeated: 28, total: 150 } });
    expect(telemetry.count("PayloadRejected")).toBe(150);
  });

  it("hides neither the same of another stream, nor another reason, nor what comes after a quiet minute", () => {
    const { telemetry, lines, wait } = setUp();
    telemetry.emit(rejected("a", "one"));
    telemetry.emit(rejected("b", "two"));
    telemetry.emit(rejected("a", "three", "truncated"));
    wait(61);
    telemetry.flush();
    telemetry.emit(rejected("a", "four"));
    expect(lines.map(({ message }) => message)).toEqual(["one", "two", "three", "four"]);
    expect(lines.every(({ fields }) => !("repeated" in fields))).toBe(true);
  });

  it("is told in full when the agent ends, and what people do is told each time", () => {
    const { telemetry, lines } = setUp();
    for (const detail of ["one", "two", "three"]) telemetry.emit(rejected("a", detail));
    for (const detail of ["first", "second"]) telemetry.emit({ name: "ConfigRejected", detail });
    telemetry.flush(true);
    expect(lines.map(({ message, fields }) => [message, fields["repeated"]])).toEqual([
      ["one", undefined],
      ["first", undefined],
      ["second", undefined],
      ["three", 1],
    ]);
  });
});
