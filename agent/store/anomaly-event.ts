import type { Anomaly, AnomalyChange } from "../../pipelines/signal.ts";

/** Life of an anomaly in the database; `interrupted`: the agent ended while it was active. */
export type AnomalyState = "active" | "ended" | "interrupted";

/** An anomaly as a row of the database, without its evidence. Times are event times. */
export interface AnomalyRow {
  readonly id: string;
  readonly stream: string;
  readonly kind: string;
  readonly severity: Anomaly["severity"];
  readonly state: AnomalyState;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly peakScore: number;
  readonly count: number;
  readonly model: string;
}

/** The row that a change leaves behind. */
export const rowOf = ({ type, anomaly }: AnomalyChange): AnomalyRow => {
  const { evidence: _, ...row } = anomaly;
  return { ...row, state: type === "end" ? "ended" : "active" };
};

/** An anomaly as JSON, in events and on the command line: times as ISO 8601 and as exact nanoseconds in a string. */
export const anomalyJson = (row: AnomalyRow): Record<string, unknown> => ({
  id: row.id,
  stream: row.stream,
  kind: row.kind,
  severity: row.severity,
  state: row.state,
  from: isoTime(row.fromNs),
  to: isoTime(row.toNs),
  fromNs: row.fromNs.toString(),
  toNs: row.toNs.toString(),
  durationSeconds: Number(row.toNs - row.fromNs) / 1e9,
  peakScore: row.peakScore,
  count: row.count,
  model: row.model,
});

/** The event that goes out: what the anomaly was before (null when new) and what it is now. */
export const eventJson = (type: AnomalyChange["type"], before: AnomalyRow | undefined, after: AnomalyRow): string =>
  JSON.stringify({ type, before: before === undefined ? null : anomalyJson(before), after: anomalyJson(after) });

/** `2026-11-23T10:00:00.123Z` of a time in ns since 1970; the plain number where no date can be that large. */
export const isoTime = (ns: bigint): string => {
  const ms = Number(ns / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ns} ns`;
};
