import type { StreamModality } from "../../models/manifest.ts";
import type { StreamStatistics } from "../stream-statistics.ts";

/** What the streams of one modality did. */
export interface ModalitySummary {
  readonly messages: number;
  readonly frames: number;
  readonly classifications: Readonly<Record<string, number>>;
  readonly anomalies: number;
}

/** What all streams did: one entry a modality. */
export type Summary = Readonly<Record<StreamModality, ModalitySummary>> & {
  /** Frames classified in a second of wall clock. */
  readonly framesPerSecond: number;
  /**
   * How many times faster than real time all streams together could run on this core: 1 / Σ (busy / signal seconds).
   * Null before anything ran.
   */
  readonly realTimeFactor: number | null;
};

/** Sum up streams by modality. @param wallSeconds how long they ran */
export const summarise = (streams: readonly StreamStatistics[], wallSeconds: number): Summary => {
  const of = (modality: StreamModality) => sumOf(streams.filter((stream) => stream.modality === modality));
  const frames = streams.reduce((sum, stream) => sum + stream.frames, 0);
  const load = streams.reduce((sum, { realTimeFactor }) => sum + (realTimeFactor ? 1 / realTimeFactor : 0), 0);
  return {
    audio: of("audio"),
    ecg: of("ecg"),
    vibration: of("vibration"),
    sensor: of("sensor"),
    framesPerSecond: round(wallSeconds > 0 ? frames / wallSeconds : 0),
    realTimeFactor: load > 0 ? round(1 / load) : null,
  };
};

const sumOf = (streams: readonly StreamStatistics[]): ModalitySummary => {
  const classifications: Record<string, number> = {};
  for (const stream of streams) {
    for (const [label, n] of stream.classifications) classifications[label] = (classifications[label] ?? 0) + n;
  }
  return {
    messages: streams.reduce((sum, { messages }) => sum + messages, 0),
    frames: streams.reduce((sum, stream) => sum + stream.frames, 0),
    classifications,
    anomalies: streams.reduce((sum, { anomalies }) => sum + anomalies, 0),
  };
};

const round = (x: number): number => Number(x.toPrecision(4));

/** The summary as a table of plain text, one line a stream. */
export const summaryTable = (streams: readonly StreamStatistics[], summary: Summary): string => {
  const rows = streams.map((stream) => [
    stream.name,
    String(stream.messages),
    String(stream.frames),
    String(stream.anomalies),
    stream.realTimeFactor === undefined ? "–" : stream.realTimeFactor.toPrecision(3),
    stream.stopped ?? labelsOf(stream),
  ]);
  const table = [["stream", "messages", "frames", "anomalies", "× real time", "classifications"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => {
        const isNumber = column >= 1 && column <= 4;
        return isNumber ? cell.padStart(widths[column]!) : cell.padEnd(column === 0 ? widths[0]! : 0);
      })
      .join("  "),
  );
  const factor = summary.realTimeFactor === null ? "" : `, all streams together ${summary.realTimeFactor} × real time`;
  return `${lines.join("\n")}\n${summary.framesPerSecond} frames/s${factor}\n`;
};

const labelsOf = ({ classifications }: StreamStatistics): string =>
  [...classifications]
    .sort((a, b) => b[1] - a[1])
    .map(([label, n]) => `${label} ${n}`)
    .join(", ");
