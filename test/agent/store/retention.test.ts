import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AnomalyStore } from "../../../agent/store/anomaly-store.ts";
import { openDatabase } from "../../../agent/store/database.ts";
import { Reserve } from "../../../agent/store/reserve.ts";
import { Retention, type RetentionLimits } from "../../../agent/store/retention.ts";
import { TelemetryRing } from "../../../agent/store/telemetry-ring.ts";
import { changeOf } from "./anomalies.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-retention-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const minuteMs = 60_000;
const unlimited = { maxBytes: 1e12, maxAgeMs: 1e12 };
const setUp = (limits: Partial<RetentionLimits>) => {
  const file = join(folder, "a.sqlite");
  const database = openDatabase(file);
  const store = new AnomalyStore(database);
  const ring = new TelemetryRing(database, { maxBytes: 1e6, maxAgeMs: 1e12 });
  const reserve = new Reserve(file);
  return {
    file,
    database,
    store,
    ring,
    reserve,
    retention: new Retention(database, { ...unlimited, ...limits }, { ring, reserve }),
  };
};
const startMs = 1_700_000_000_000;

describe("Retention", () => {
  it("forgets what is older than its age, in batches, and leaves what is active and what waits to be published", () => {
    const { store, retention, database } = setUp({ maxAgeMs: 10 * minuteMs });
    store.record(changeOf("new", 0));
    for (let i = 1; i < 40; i++) store.record(changeOf("end", i));
    const events = store.outbox.pendingCount();
    const nowMs = startMs + 40 * minuteMs;
    const steps = [retention.step(nowMs), retention.step(nowMs), retention.step(nowMs)];
    expect(steps).toEqual([16, 12, 0]); // 29 minutes and a second are older than ten minutes before the newest, 39
    expect(store.list().map(({ id }) => id.split("/")[2])).toEqual([
      "0",
      ...Array.from({ length: 11 }, (_, i) => `${i + 29}`),
    ]);
    expect(database.prepare("SELECT COUNT(*) FROM evidence").pluck().get()).toBe(12);
    expect(store.outbox.pendingCount()).toBe(events);
  });

  it.each([
    ["this machine's clock", 40, 5 * 365 * 1440],
    ["a sender's clock", 5 * 365 * 1440, 40],
  ])("forgets nothing when %s is set five years ahead", (_, newestMinute, nowMinute) => {
    const { store, retention } = setUp({ maxAgeMs: 60 * minuteMs });
    for (let i = 0; i < 40; i++) store.record(changeOf("end", i));
    store.record(changeOf("end", newestMinute));
    expect(retention.step(startMs + nowMinute * minuteMs)).toBe(0);
  });

  it("keeps the database below its size and gives the room back to the disk", () => {
    const { file, store, retention, database } = setUp({ maxBytes: 2e6 });
    for (let i = 0; i < 100; i++) {
      store.record(changeOf("end", i, { kilobytes: 64 }));
      retention.step(startMs);
    }
    while (retention.step(startMs) > 0);
    expect(retention.usedBytes()).toBeLessThanOrEqual(2e6);
    expect(store.list().at(-1)!.id).toBe("pump/anomaly/99");
    expect(store.list().length).toBeGreaterThan(20); // of 65 kB each
    for (let i = 0; i < 50; i++) retention.step(startMs);
    database.pragma("wal_checkpoint(TRUNCATE)");
    expect(statSync(file).size).toBeLessThan(4e6); // one step's pages may stay free
  });

  it("holds room on the disk, and gives it up to delete when there is no other", () => {
    const { file, store, retention, reserve, ring } = setUp({});
    reserve.take();
    expect(statSync(`${file}.reserve`).size).toBe(5 * 2 ** 20);
    store.record(changeOf("end", 1));
    ring.add([1, 2, 3].map((i) => ({ atMs: i, topic: "t", payload: "{}" })));
    retention.makeRoom();
    expect([store.list().length, ring.oldest(9).length]).toEqual([0, 1]);
    expect(statSync(`${file}-wal`).size).toBe(0);
    expect(existsSync(`${file}.reserve`)).toBe(true); // taken again: there is room on this disk
    reserve.give();
    expect(existsSync(`${file}.reserve`)).toBe(false);
  });
});

describe("The ring of statistics", () => {
  it("keeps the newest within its size and age, and says how many gave way", () => {
    const database = openDatabase(":memory:");
    const ring = new TelemetryRing(database, { maxBytes: 1000, maxAgeMs: 10_000 });
    const message = (i: number) => ({ atMs: i * 1000, topic: "t", payload: JSON.stringify({ i, x: "x".repeat(80) }) });
    const lost = Array.from({ length: 30 }, (_, i) => ring.add([message(i)])).reduce((a, b) => a + b, 0);
    const kept = ring.oldest(99).map(({ atMs }) => atMs / 1000);
    expect(kept.at(-1)).toBe(29);
    expect(kept.length + lost).toBe(30);
    expect(kept.length).toBeGreaterThanOrEqual(9); // 95 bytes each
    expect(kept.length).toBeLessThanOrEqual(10);
    ring.add([message(60)]);
    expect(ring.oldest(99).map(({ atMs }) => atMs / 1000)).toEqual([60]);
    ring.published(ring.oldest(1)[0]!.sequence);
    expect(ring.oldest(9)).toEqual([]);
  });
});
