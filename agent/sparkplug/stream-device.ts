import type { AnomalyChange, Classification } from "../../pipelines/signal.ts";
import { type AnomalyRow, isTold } from "../store/anomaly-event.ts";
import type { AnomalyStore } from "../store/anomaly-store.ts";
import type { StreamStatistics } from "../stream-statistics.ts";
import type { Change, Device } from "./edge-node.ts";

/** Probabilities that differ by less are the same to a host: report by exception. */
const probabilityStep = 0.05;
/** And they are told at most this often, unless the label changes; event time. */
const everyMs = 1000;

/** A stream as a device: what the host can know of it, and what of it is news. */
export class StreamDevice {
  readonly statistics: StreamStatistics;
  #last: { readonly label: string; readonly probability: number; readonly atMs: number } | undefined;

  constructor(statistics: StreamStatistics) {
    this.statistics = statistics;
  }

  /** All metrics with the values of now. */
  birth(store: Pick<AnomalyStore, "list">): Device {
    const { name, alarms } = this.statistics;
    const rows = store.list({ stream: name, state: "active" }).filter(isTold);
    const active = new Map(rows.map((row) => [row.kind, row]));
    return {
      name,
      metrics: [
        { name: "Label", datatype: "String", value: this.#last?.label ?? null },
        { name: "Probability", datatype: "Double", value: this.#last?.probability ?? null },
        ...alarms.flatMap(({ kind }) => [
          { name: alarmName(kind), datatype: "Boolean" as const, value: active.has(kind) },
          { name: peakName(kind), datatype: "Double" as const, value: active.get(kind)?.peakScore ?? null },
        ]),
      ],
    };
  }

  /** What a classification changes for the host; nothing where it is much the same. */
  classified({ label, probability, atNs }: Classification): readonly Change[] {
    const timestampMs = msOf(atNs);
    const last = this.#last;
    const isNew = last === undefined || label !== last.label;
    if (!isNew && (Math.abs(probability - last.probability) < probabilityStep || timestampMs - last.atMs < everyMs)) {
      return [];
    }
    this.#last = { label, probability, atMs: timestampMs };
    const told = { name: "Probability", value: probability, timestampMs };
    return isNew ? [{ name: "Label", value: label, timestampMs }, told] : [told];
  }
}

/** What a change of an anomaly tells the host. */
export const changesOf = ({ type, anomaly }: AnomalyChange): readonly Change[] => {
  const peak = { name: peakName(anomaly.kind), value: anomaly.peakScore, timestampMs: msOf(anomaly.toNs) };
  if (type === "update") return [peak];
  const isActive = type === "new";
  const timestampMs = msOf(isActive ? anomaly.fromNs : anomaly.toNs);
  return [{ name: alarmName(anomaly.kind), value: isActive, timestampMs }, peak];
};

/**
 * What the host missed of recorded anomalies: their onsets and ends, in order, marked as history.
 * @param afterNs up to when, ns since 1970, the alarm of an anomaly was told
 */
export const historyOf = (rows: readonly AnomalyRow[], afterNs: (row: AnomalyRow) => bigint): readonly Change[] =>
  rows
    .flatMap((row) =>
      [
        { kind: row.kind, atNs: row.fromNs, value: true },
        ...(row.state === "active" ? [] : [{ kind: row.kind, atNs: row.toNs, value: false }]),
      ].filter(({ atNs }) => atNs > afterNs(row)),
    )
    .sort((a, b) => Number(a.atNs - b.atNs))
    .map(({ kind, atNs, value }) => ({ name: alarmName(kind), value, timestampMs: msOf(atNs), isHistorical: true }));

const alarmName = (kind: string): string => `Alarm/${kind}`;
const peakName = (kind: string): string => `Alarm/${kind}/Peak Score`;
const msOf = (ns: bigint): number => Number(ns / 1_000_000n);
