import { fstatSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type AgentEvent, Telemetry } from "../../agent/telemetry/events.ts";
import { createLog, isJournalStream } from "../../agent/telemetry/log.ts";

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

describe("The log", () => {
  const written = (isJournal: boolean, level: "info" | "warn" = "info") => {
    const lines: string[] = [];
    const log = createLog(level, { write: (line) => lines.push(line) }, isJournal);
    return { log, lines };
  };

  it("is one JSON object a line with level, time and fields", () => {
    const { log, lines } = written(false);
    log.warn({ event: "BrokerLost", total: 2 }, "it is away");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "warn", event: "BrokerLost", total: 2, msg: "it is away" });
    expect(JSON.parse(lines[0]!).time).toBeCloseTo(Date.now(), -5);
  });

  it("begins each line with its priority on the journal, which has a time of its own", () => {
    const { log, lines } = written(true);
    log.error({}, 'says "level":"info"');
    log.warn({}, "b");
    log.info({}, "c");
    expect(lines.map((line) => line.slice(0, 3))).toEqual(["<3>", "<4>", "<6>"]);
    expect(JSON.parse(lines[0]!.slice(3))).not.toHaveProperty("time");
  });

  it("changes its level while it runs", () => {
    const { log, lines } = written(false, "warn");
    log.info({}, "unheard");
    log.setLevel("info");
    log.info({}, "heard");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["heard"]);
  });

  it("knows the journal by device and inode of standard error, not by the variable alone", () => {
    const { dev, ino } = fstatSync(2);
    expect(isJournalStream(`${dev}:${ino}`)).toBe(true);
    expect(isJournalStream(`${dev}:${ino + 1}`)).toBe(false);
    expect(isJournalStream(undefined)).toBe(false);
  });
});
