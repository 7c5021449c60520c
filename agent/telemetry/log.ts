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

/**
 * A log of JSON lines on standard error, level names in words.
 *
 * @param level what to write at least
 * @param sink  where to, when it is not standard error: the live view puts lines above itself
 */
export const createLog = (level: LogLevel, sink: LineSink = process.stderr): AdjustableLog => {
  const log = pino(
    { level, base: { pid: process.pid }, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void sink.write(line) },
  );
  return Object.assign(log, {
    setLevel: (wanted: LogLevel) => {
      log.level = wanted;
    },
  });
};
