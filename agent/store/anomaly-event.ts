import { type AlarmStateName, isSilent } from "../../pipelines/decisions/alarm-state.ts";
import type { Anomaly, AnomalyChange } from "../../pipelines/signal.ts";

/** Life of an anomaly in the database; `interrupted`: the agent ended while it was active. */
export type AnomalyState = "active" | "ended" | "interrupted";

/** What a person said of an anomaly. */
export interface Acknowledgement {
  /** When, ms since 1970 of this machine's clock. */
  readonly atMs: number;
  readonly by: string;
  /** What it was in truth, where the person said so. */
  readonly label?: string;
}

/** An anomaly as a row of the database, without its evidence. Times are event times. */
export interface AnomalyRow {
  readonly id: string;
  readonly stream: string;
  readonly kind: string;
  readonly severity: Anomaly["severity"];
  readonly state: AnomalyState;
  /** State of its alarm by ISA-18.2. */
  readonly alarm: AlarmStateName;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly peakScore: number;
  readonly count: number;
  readonly model: string;
  readonly acknowledgement?: Acknowledgement;
}

/** What an event tells of: the life of an anomaly, or what a person did about its alarm. */
export type EventType = AnomalyChange["type"] | "acknowledge" | "shelve" | "unshelve";

/** The same for all anomalies of one alarm: receivers that keep one entry an alarm keep it under this. */
export const keyOf = ({ stream, kind }: Pick<AnomalyRow, "stream" | "kind">): string => `${stream}/${kind}`;

/** Whether a person should see it: it is neither shelved nor suppressed. */
export const isTold = ({ alarm }: AnomalyRow): boolean => !isSilent(alarm);

/** An anomaly as JSON, in events and on the command line: times as ISO 8601 and as exact nanoseconds in a string. */
export const anomalyJson = (row: AnomalyRow): Record<string, unknown> => ({
  id: row.id,
  key: keyOf(row),
  stream: row.stream,
  kind: row.kind,
  severity: row.severity,
  state: row.state,
  alarm: row.alarm,
  from: isoTime(row.fromNs),
  to: isoTime(row.toNs),
  fromNs: row.fromNs.toString(),
  toNs: row.toNs.toString(),
  durationSeconds: Number(row.toNs - row.fromNs) / 1e9,
  peakScore: row.peakScore,
  count: row.count,
  model: row.model,
  acknowledgedAt: row.acknowledgement === undefined ? null : new Date(row.acknowledgement.atMs).toISOString(),
  acknowledgedBy: row.acknowledgement?.by ?? null,
  trueLabel: row.acknowledgement?.label ?? null,
});

/**
 * The event that goes out: what the anomaly was before (null when new) and what it is now, with the path at which the
 * agent serves its piece of signal (`http.listen`).
 */
export const eventJson = (type: EventType, before: AnomalyRow | undefined, after: AnomalyRow): string =>
  JSON.stringify({
    type,
    before: before === undefined ? null : anomalyJson(before),
    after: { ...anomalyJson(after), evidence: evidencePath(after.id) },
  });

/** Where the signal behind an anomaly is to be had from the agent. */
export const evidencePath = (id: string): string => `/evidence/${id}`;

/** `2026-11-23T10:00:00.123Z` of a time in ns since 1970; the plain number where no date can be that large. */
export const isoTime = (ns: bigint): string => {
  const ms = Number(ns / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ns} ns`;
};
