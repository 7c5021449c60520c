import { describe, expect, it } from "vitest";
import { AnomalyStore } from "../../../agent/store/anomaly-store.ts";
import { type OpenDatabase, openDatabase } from "../../../agent/store/database.ts";
import { Recorder } from "../../../agent/store/recorder.ts";
import { Reserve } from "../../../agent/store/reserve.ts";
import { Retention } from "../../../agent/store/retention.ts";
import { TelemetryRing } from "../../../agent/store/telemetry-ring.ts";
import { changeOf } from "./anomalies.ts";

const pagesOf = (database: OpenDatabase) => Number(database.pragma("page_count", { simple: true }));
/** Let the database take so many more pages, then give SQLITE_FULL: the real one. */
const limitTo = (database: OpenDatabase, pages: number) => database.pragma(`max_page_count = ${pages}`);

const setUp = () => {
  const database = openDatabase(":memory:");
  const store = new AnomalyStore(database);
  const ring = new TelemetryRing(database, { maxBytes: 1e6, maxAgeMs: 1e12 });
  const retention = new Retention(
    database,
    { maxBytes: 1e12, maxAgeMs: 1e12 },
    { ring, reserve: new Reserve(":memory:") },
  );
  const log: string[] = [];
  const unsaved: string[] = [];
  const recorder = new Recorder({
    store,
    retention,
    emit: ({ name }) => log.push(name),
    onUnsaved: ({ payload }) => unsaved.push(`${JSON.parse(payload).type} ${JSON.parse(payload).after.id}`),
  });
  return { database, store, recorder, log, unsaved };
};

describe("A recorder on a full disk", () => {
  it("makes room by forgetting the oldest that has ended, and records without a word", () => {
    const { database, store, recorder, log, unsaved } = setUp();
    for (let i = 0; i < 50; i++) recorder.record(changeOf("end", i, { kilobytes: 16 }));
    limitTo(database, pagesOf(database));
    for (let i = 50; i < 150; i++) recorder.record(changeOf("end", i, { kilobytes: 16 }));
    expect([log, unsaved, recorder.held]).toEqual([[], [], 0]);
    expect(store.get("pump/anomaly/149")).toBeDefined();
    expect(store.outbox.pendingCount()).toBe(150); // alerts are never given up
  });

  it("where nothing may be forgotten publishes and holds, and writes all in order when there is room again", () => {
    const { database, store, recorder, log, unsaved } = setUp();
    recorder.record(changeOf("new", 0));
    limitTo(database, pagesOf(database));
    const changes = [
      changeOf("new", 1, { kilobytes: 64 }),
      changeOf("update", 1, { kilobytes: 64, count: 2 }),
      changeOf("end", 1, { kilobytes: 64, count: 3 }),
    ];
    for (const change of changes) recorder.record(change);
    expect(log).toEqual(["DatabaseFailed"]);
    expect(unsaved).toEqual(["new", "update", "end"].map((type) => `${type} pump/anomaly/1`));
    recorder.retry();
    expect(recorder.held).toBe(3);
    limitTo(database, 1e6);
    recorder.retry();
    expect([recorder.held, log]).toEqual([0, ["DatabaseFailed", "DatabaseRecovered"]]);
    expect(store.get("pump/anomaly/1")).toMatchObject({ state: "ended", count: 3 });
    expect(store.outbox.pending(9).map(({ type }) => type)).toEqual(["new", "new", "update", "end"]);
    expect(store.evidence("pump/anomaly/1")).toEqual(changes[0]!.anomaly.evidence);
  });

  it("fails at every page of a write and leaves the database whole each time", () => {
    const { database, store, recorder } = setUp();
    recorder.record(changeOf("new", 0));
    let failures = 0;
    for (let i = 1; i <= 40; i++) {
      limitTo(database, pagesOf(database) + (i % 20));
      recorder.record(changeOf("new", i, { kilobytes: 64 }));
      if (recorder.held > 0) failures++;
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      limitTo(database, 1e6);
      recorder.retry();
    }
    expect(failures).toBeGreaterThan(20);
    expect(store.list()).toHaveLength(41);
  });

  it("holds within a bound: signals are given up before anomalies, updates before beginnings and ends", () => {
    const { database, store, recorder, log } = setUp();
    recorder.record(changeOf("new", 0));
    limitTo(database, pagesOf(database));
    for (let i = 1; i <= 200; i++) recorder.record(changeOf("new", i, { kilobytes: 256 })); // 50 MiB of signal
    for (let i = 0; i < 2000; i++) recorder.record(changeOf("update", 1, { count: i }));
    expect(recorder.held).toBe(2000);
    limitTo(database, 1e6);
    recorder.retry();
    expect(log.filter((name) => name === "AnomalyLost")).toEqual([]);
    expect(store.list()).toHaveLength(201);
    const bytes = Number(database.prepare("SELECT SUM(LENGTH(samples)) FROM evidence").pluck().get());
    expect(bytes).toBeLessThanOrEqual(33 * 2 ** 20);
  });

  it("does the same on one that turned read-only: SQLite refuses each write, then takes them again", () => {
    const { database, store, recorder, log, unsaved } = setUp();
    recorder.record(changeOf("new", 0));
    database.pragma("query_only = ON"); // SQLITE_READONLY, as on a disk that was mounted anew without writes
    recorder.record(changeOf("end", 0));
    recorder.retry();
    expect([recorder.held, log, unsaved]).toEqual([1, ["DatabaseFailed"], ["end pump/anomaly/0"]]);
    database.pragma("query_only = OFF");
    recorder.retry();
    expect(recorder.held).toBe(0);
    expect(store.get("pump/anomaly/0")?.state).toBe("ended");
  });

  it("throws what is no trouble of the disk", () => {
    const { database, recorder } = setUp();
    database.exec("CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END");
    expect(() => recorder.record(changeOf("new", 0))).toThrow("no");
    expect(recorder.held).toBe(0);
  });
});
