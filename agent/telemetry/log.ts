import { fstatSync } from "node:fs";
import { pino } from "pino";
import type { Log } from "./events.ts";

/** Levels of the log, from talkative to silent. */
export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Anything that takes lines. */
export interface LineSink {
  write(line: string): unknown;
}

/** A log whose level can be changed while it is used. */
export interface AdjustableLog extends Log {
  readonly setLevel: (level: LogLevel) => void;
}

/** Priorities of syslog, which journald reads from the head of a line: `<3>`. */
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/**
 * A log of JSON lines on standard error, level names in words. Where standard error is systemd's journal, which has a
 * time of its own, the lines carry none and begin with their priority.
 *
 * @param level what to write at least
 * @param sink  where to, when it is not standard error: the live view puts lines above itself
 */
export const createLog = (
  level: LogLevel,
  sink: LineSink = process.stderr,
  isJournal: boolean = isJournalStream(process.env["JOURNAL_STREAM"]),
): AdjustableLog => {
  const priorityOf = (line: string): number => priorities[/"level":"(\w+)"/.exec(line)?.[1] ?? ""] ?? 6;
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      ...(isJournal && { timestamp: false }),
    },
    { write: (line: string) => void sink.write(isJournal ? `<${priorityOf(line)}>${line}` : line) },
  );
  return Object.assign(log, {
    setLevel: (wanted: LogLevel) => {
      log.level = wanted;
    },
  });
};

/**
 * Whether standard error is the journal: `JOURNAL_STREAM` is the device and inode of its socket, systemd.exec(5). A
 * process that was started with another standard error inherits the variable all the same.
 */
export const isJournalStream = (variable: string | undefined, descriptor = 2): boolean => {
  if (variable === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return variable === `${dev}:${ino}`;
  } catch {
    return false;
  }
};
