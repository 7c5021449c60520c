import type { AnomalyChange } from "../../pipelines/signal.ts";
import { isoTime } from "../store/anomaly-event.ts";
import type { StreamStatistics } from "../stream-statistics.ts";
import { bar, sparkline } from "./sparkline.ts";

/** Messages and frames a second of one stream. */
export interface Rates {
  readonly messages: number;
  readonly frames: number;
}

/** Puts colour on a text, or not. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly severity: (severity: string, text: string) => string;
}

const identity = (text: string): string => text;

/** No colour: NO_COLOR, or no terminal. */
export const plainPaint: Paint = { bold: identity, dim: identity, severity: (_, text) => text };

const ansi = (code: string) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const severityCodes: Readonly<Record<string, string>> = { critical: "1;31", major: "31", minor: "33", warning: "36" };

/** ANSI colours. */
export const ansiPaint: Paint = {
  bold: ansi("1"),
  dim: ansi("2"),
  severity: (severity, text) => ansi(severityCodes[severity] ?? "0")(text),
};

const header = [
  "stream".padEnd(14),
  "msg/s".padStart(7),
  "frames/s".padStart(9),
  "× real time".padStart(12),
  `  ${"label".padEnd(12)}`,
  "probability".padEnd(17),
  "level",
].join("");

/** The heading of the table of streams. */
export const headerLine = (paint: Paint): string => paint.dim(header);

/** One stream as a line: rates, real-time factor, what it was last, how it sounds. */
export const streamLine = (stream: StreamStatistics, rates: Rates, paint: Paint): string => {
  const name = fit(stream.name, 14);
  if (stream.stopped !== undefined) return `${name}${paint.severity("major", ` stopped: ${stream.stopped}`)}`;
  const { last } = stream;
  return [
    paint.bold(name),
    rates.messages.toFixed(1).padStart(7),
    rates.frames.toFixed(1).padStart(9),
    (stream.realTimeFactor?.toFixed(stream.realTimeFactor < 100 ? 1 : 0) ?? "–").padStart(12),
    `  ${fit(last?.label ?? "–", 12)}`,
    last === undefined ? " ".repeat(17) : `${bar(last.probability, 10)} ${last.probability.toFixed(2).padEnd(6)}`,
    sparkline(stream.levels),
    stream.rejected > 0 ? paint.severity("minor", ` ${stream.rejected} rejected`) : "",
    stream.dropped > 0 ? paint.severity("minor", ` ${stream.dropped} dropped`) : "",
  ].join("");
};

/** One change of an anomaly as a line, with the event time of its onset and of its end. */
export const changeLine = ({ type, anomaly }: AnomalyChange, paint: Paint): string => {
  const length = Number(anomaly.toNs - anomaly.fromNs) / 1e9;
  return [
    paint.dim(isoTime(anomaly.fromNs).slice(11)),
    type.padEnd(6),
    fit(anomaly.stream, 14),
    paint.severity(anomaly.severity, fit(anomaly.kind, 14)),
    fit(anomaly.severity, 9),
    `score ${anomaly.peakScore.toFixed(2)}, ${anomaly.count} frame${anomaly.count === 1 ? "" : "s"}, ${length.toFixed(1)} s`,
  ].join(" ");
};

/** A text in exactly so many columns. */
export const fit = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
