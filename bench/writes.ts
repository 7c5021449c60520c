import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../agent/config/schema.ts";
import { StatisticsReporter } from "../agent/forward/statistics.ts";
import { openStore } from "../agent/store/open-store.ts";
import { StreamStatistics } from "../agent/stream-statistics.ts";
import type { AnomalyChange } from "../pipelines/signal.ts";

const daySeconds = 86_400;
const evidenceValues = 16_384; // a second of sound, a minute of an ECG: 64 KiB

/** One day of a gateway with four streams. */
interface Day {
  readonly name: string;
  readonly anomalies: number;
  readonly isBrokerThere: boolean;
}

const days: readonly Day[] = [
  { name: "broker there, no anomaly", anomalies: 0, isBrokerThere: true },
  { name: "broker there, 24 anomalies", anomalies: 24, isBrokerThere: true },
  { name: "broker there, 1,000 anomalies", anomalies: 1000, isBrokerThere: true },
  { name: "broker away, no anomaly", anomalies: 0, isBrokerThere: false },
  { name: "broker away, 24 anomalies", anomalies: 24, isBrokerThere: false },
];

/**
 * What the store writes to the disk in a simulated day: bytes handed to the kernel (`wchar` of /proc/self/io), all of
 * which a database that syncs each commit brings to the disk; and how long one round of housekeeping in a thousand takes.
 */
export const run = async (): Promise<void> => {
  console.log("day of four streams               MB written   housekeeping, 99.9th percentile, ms");
  for (const day of days) {
    const { bytes, roundsMs } = await writtenIn(day);
    const slowMs = roundsMs.sort((a, b) => a - b)[Math.floor(0.999 * roundsMs.length)]!;
    console.log(`${day.name.padEnd(32)} ${(bytes / 1e6).toFixed(2).padStart(11)} ${slowMs.toFixed(2).padStart(12)}`);
  }
};

const writtenIn = async ({ anomalies, isBrokerThere }: Day): Promise<{ bytes: number; roundsMs: number[] }> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-writes-"));
  let seconds = 0;
  const nowMs = () => Date.UTC(2026, 0, 1) + seconds * 1000;
  const config = configSchema.parse({ streams: [{ name: "a", pipeline: "audio", model: "m" }] });
  const quiet = { emit: () => {}, onOutbox: () => {}, onUnsaved: () => {} };
  const stored = openStore(join(folder, "a.sqlite"), config, { ...quiet, nowMs });
  const connection = { isConnected: () => isBrokerThere, publish: async () => {} };
  const streams = ["bearing", "bed-7", "hall", "pump"].map((name) => new StreamStatistics(name, "sensor"));
  const reporter = new StatisticsReporter({
    ring: stored.ring,
    connection,
    base: "ohmwatch",
    streams: () => streams,
    nowMs,
    emit: () => {},
    onRing: () => {},
  });
  const before = writtenBytes();
  const roundsMs: number[] = [];
  for (seconds = 1; seconds <= daySeconds; seconds++) {
    if (seconds % 60 === 0) await reporter.report();
    if (anomalies > 0 && seconds % Math.floor(daySeconds / anomalies) === 0) {
      for (const change of lifeOf(seconds)) stored.recorder.record(change);
      if (isBrokerThere) stored.store.outbox.published(stored.store.outbox.newest());
    }
    const begunMs = performance.now();
    stored.housekeeping.tick();
    roundsMs.push(performance.now() - begunMs);
  }
  stored.close();
  const bytes = writtenBytes() - before;
  rmSync(folder, { recursive: true });
  return { bytes, roundsMs };
};

/** An anomaly with two updates. */
const lifeOf = (second: number): readonly AnomalyChange[] => {
  const fromNs = 1_767_225_600_000_000_000n + BigInt(second) * 1_000_000_000n;
  const evidence = {
    startAtNs: fromNs,
    sampleRateHz: 16_000,
    channels: ["sound"],
    samples: Float32Array.from({ length: evidenceValues }, (_, i) => Math.sin(i * second)),
  };
  const fixed = {
    stream: "hall",
    kind: "yes",
    severity: "warning",
    fromNs,
    peakScore: 1,
    model: "m",
    evidence,
  } as const;
  return (["new", "update", "update", "end"] as const).map((type, i) => ({
    type,
    anomaly: { id: `hall/yes/${second}`, ...fixed, toNs: fromNs + BigInt(i), count: i + 1 },
  }));
};

const writtenBytes = (): number => Number(/^wchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))![1]);
