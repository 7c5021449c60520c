import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AnomalyStore } from "../../../agent/store/anomaly-store.ts";
import { closeDatabase, openDatabase, openForReading } from "../../../agent/store/database.ts";
import type { Anomaly, AnomalyChange } from "../../../pipelines/signal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-store-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const anomaly = (overrides: Partial<Anomaly> = {}): Anomaly => ({
  id: "bed-7/V/1",
  stream: "bed-7",
  kind: "V",
  severity: "major",
  fromNs: 1_700_000_000_123_456_789n, // beyond 2⁵³: a double would round it
  toNs: 1_700_000_001_123_456_789n,
  peakScore: 0.1 + 0.2,
  count: 3,
  model: "ecg-beats@1",
  evidence: {
    startAtNs: 1_700_000_000_000_000_001n,
    sampleRateHz: 360,
    channels: ["MLII", "V5"],
    samples: Float32Array.of(0.1, -0.2, Number.NaN, 3e-39),
  },
  ...overrides,
});
const change = (type: AnomalyChange["type"], overrides: Partial<Anomaly> = {}): AnomalyChange => ({
  type,
  anomaly: anomaly(overrides),
});

describe("The anomaly store", () => {
  it("gives back what it recorded, to the bit", () => {
    const store = new AnomalyStore(openDatabase(":memory:"));
    store.record(change("new"));
    const { evidence, ...row } = anomaly();
    expect(store.list()).toEqual([{ ...row, state: "active", alarm: "active-unacknowledged" }]);
    expect(store.get(row.id)?.fromNs).toBe(1_700_000_000_123_456_789n);
    expect(store.evidence(row.id)).toEqual(evidence);
  });

  it("writes the event with the row: its before is what the row was", () => {
    const store = new AnomalyStore(openDatabase(":memory:"));
    store.record(change("new"));
    store.record(change("update", { count: 5 }));
    store.record(change("end", { count: 6 }));
    const events = store.outbox.pending(10).map(({ payload }) => JSON.parse(payload));
    expect(events.map(({ type }) => type)).toEqual(["new", "update", "end"]);
    expect(events[0].before).toBeNull();
    expect(events[2]).toMatchObject({ before: { count: 5, state: "active" }, after: { count: 6, state: "ended" } });
    expect(new Set(events.map(({ after }) => after.id)).size).toBe(1);
    store.outbox.published(store.outbox.pending(2)[1]!.sequence);
    expect(store.outbox.pending(10)).toHaveLength(1);
  });

  it("leaves the same rows when the same changes are recorded twice", () => {
    const database = openDatabase(":memory:");
    const store = new AnomalyStore(database);
    const changes = [change("new"), change("update", { count: 9 }), change("end", { count: 10 })];
    const rows = () => [
      database.prepare("SELECT * FROM anomalies").all(),
      database.prepare("SELECT * FROM evidence").all(),
    ];
    for (const each of changes) store.record(each);
    const first = rows();
    for (const each of changes) store.record(each);
    expect(rows()).toEqual(first);
  });

  it("ends as interrupted what an earlier run left active, with an event", () => {
    const file = join(folder, "a.sqlite");
    const before = openDatabase(file);
    new AnomalyStore(before).record(change("new"));
    new AnomalyStore(before).record(change("end", { id: "bed-7/V/0", kind: "N" }));
    before.close(); // as after a crash: nobody ended it
    const store = new AnomalyStore(openDatabase(file));
    expect(store.closeInterrupted().map(({ id }) => id)).toEqual(["bed-7/V/1"]);
    expect(store.get("bed-7/V/1")?.state).toBe("interrupted");
    expect(JSON.parse(store.outbox.pending(10).at(-1)!.payload)).toMatchObject({
      type: "end",
      after: { state: "interrupted" },
    });
    expect(store.closeInterrupted()).toEqual([]);
  });

  it("lists by stream, kind, state and time, in order of onset, the last so many", () => {
    const store = new AnomalyStore(openDatabase(":memory:"));
    for (let i = 0; i < 5; i++) {
      const fromNs = BigInt(i) * 10n;
      store.record(change(i < 4 ? "end" : "new", { id: `${i}`, kind: i % 2 ? "V" : "S", fromNs, toNs: fromNs + 5n }));
    }
    const ids = (filter: Parameters<typeof store.list>[0]) => store.list(filter).map(({ id }) => id);
    expect(ids({})).toEqual(["0", "1", "2", "3", "4"]);
    expect(ids({ kind: "V" })).toEqual(["1", "3"]);
    expect(ids({ state: "active" })).toEqual(["4"]);
    expect(ids({ sinceNs: 15n, untilNs: 30n })).toEqual(["1", "2"]);
    expect(ids({ limit: 2 })).toEqual(["3", "4"]);
    expect(ids({ stream: "nobody" })).toEqual([]);
  });

  it("keeps nothing of a change whose transaction fails", () => {
    const database = openDatabase(":memory:");
    database.exec("CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    const store = new AnomalyStore(database);
    expect(() => store.record(change("new"))).toThrow("disk full");
    expect(store.list()).toEqual([]);
  });
});

describe("The database", () => {
  it("is one file after it was closed, without a log beside it", () => {
    const database = openDatabase(join(folder, "deep", "a.sqlite"));
    new AnomalyStore(database).record(change("new"));
    closeDatabase(database);
    expect(readdirSync(join(folder, "deep"))).toEqual(["a.sqlite"]);
    const reader = openForReading(join(folder, "deep", "a.sqlite"));
    expect(new AnomalyStore(reader).list()).toHaveLength(1);
    expect(reader.pragma("integrity_check", { simple: true })).toBe("ok");
  });

  it("says in a sentence why it cannot be opened, with the exit code", () => {
    const file = join(folder, "text.sqlite");
    writeFileSync(
      file,
      "this is no database, though it is long enough to have a header of one hundred bytes".repeat(3),
    );
    const opening = (path: string, open: (path: string) => unknown) => {
      try {
        open(path);
      } catch (error) {
        return error as Error & { exitCode: number };
      }
      throw new Error("opened");
    };
    expect(opening(file, openDatabase)).toMatchObject({
      exitCode: 74,
      message: expect.stringContaining("expected an SQLite database"),
    });
    expect(opening(join(file, "below"), openDatabase).exitCode).toBe(73);
    expect(opening(join(folder, "none"), openForReading).message).toMatch(
      /none: expected a database, got no such file$/,
    );
  });

  it("refuses one that a newer version made", () => {
    const file = join(folder, "new.sqlite");
    const database = openDatabase(file);
    database.pragma("user_version = 99");
    database.close();
    expect(() => openDatabase(file)).toThrow(/expected a database of version ≤ 3, got 99/);
  });
});
