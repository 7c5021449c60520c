import { beforeEach, describe, expect, it } from "vitest";
import { AlarmDesk } from "../../../agent/store/alarm-desk.ts";
import { AnomalyStore } from "../../../agent/store/anomaly-store.ts";
import { type OpenDatabase, openDatabase } from "../../../agent/store/database.ts";
import type { Anomaly, AnomalyChange } from "../../../pipelines/signal.ts";

const hour = 3_600_000;
let nowMs: number;
let database: OpenDatabase;
let store: AnomalyStore;
let desk: AlarmDesk;
beforeEach(() => {
  nowMs = Date.UTC(2026, 10, 25);
  database = openDatabase(":memory:");
  store = new AnomalyStore(database, () => nowMs);
  desk = new AlarmDesk(database, store, () => nowMs);
});

const change = (type: AnomalyChange["type"], overrides: Partial<Anomaly> = {}): AnomalyChange => {
  const { fromNs = 1n, stream = "pump", kind = "anomaly" } = overrides;
  const evidence = { startAtNs: 0n, sampleRateHz: 1, channels: ["flow"], samples: Float32Array.of(1, 2) };
  const id = `${stream}/${kind}/${fromNs}`;
  const fixed = { severity: "major", toNs: fromNs + 1n, peakScore: 1, count: 1, model: "m", evidence } as const;
  return { type, anomaly: { id, stream, kind, fromNs, ...fixed, ...overrides } };
};
const id = change("new").anomaly.id;
/** What went out so far: type, id's onset, state and alarm. */
const told = () =>
  store.outbox.pending(100).map(({ type, payload, isLatest }) => {
    const { after } = JSON.parse(payload);
    return `${type} ${after.id.split("/")[2]} ${after.state} ${after.alarm}${isLatest ? "" : " (old)"}`;
  });

describe("Acknowledging", () => {
  it("is told with who did it and when, and closes the alarm once the condition is gone", () => {
    store.record(change("new"));
    const row = desk.acknowledge(id, { by: "jane" })!;
    expect(row).toMatchObject({ alarm: "active-acknowledged", acknowledgement: { by: "jane", atMs: nowMs } });
    store.record(change("end"));
    expect(store.get(id)).toMatchObject({ alarm: "normal", state: "ended" });
    expect(told()).toEqual([
      "new 1 active active-unacknowledged",
      "acknowledge 1 active active-acknowledged",
      "end 1 ended normal",
    ]);
    expect(JSON.parse(store.outbox.pending(3)[1]!.payload).after).toMatchObject({
      key: "pump/anomaly",
      acknowledgedBy: "jane",
      acknowledgedAt: "2026-11-25T00:00:00.000Z",
    });
  });

  it("of an older anomaly does not take the place of a newer one on the alarm's own topic", () => {
    store.record(change("new"));
    store.record(change("end"));
    store.record(change("new", { fromNs: 2n }));
    desk.acknowledge(id, { by: "jane" });
    expect(told().at(-1)).toBe("acknowledge 1 ended normal (old)");
  });

  it("keeps what it was in truth, with the signal, for the model to learn from", () => {
    store.record(change("new"));
    store.record(change("new", { fromNs: 2n }));
    desk.acknowledge(id, { by: "jane", label: "normal" });
    desk.acknowledge("pump/anomaly/2", { by: "jane" });
    const [one, ...others] = desk.feedback();
    expect(one).toMatchObject({ anomaly: store.get(id), label: "normal", evidence: change("new").anomaly.evidence });
    expect(others).toEqual([]);
    desk.acknowledge("pump/anomaly/2", { by: "jane", label: "anomaly" });
    expect(desk.feedback(one!.mark).map(({ label }) => label)).toEqual(["anomaly"]);
    expect(desk.feedback(undefined, 1)).toEqual([one]);
  });

  it("of an anomaly that is not there does nothing and says so", () => {
    expect(desk.acknowledge("none", { by: "jane" })).toBeUndefined();
    expect(store.outbox.pendingCount()).toBe(0);
  });
});

describe("Shelving", () => {
  it("records what comes and tells nothing of it; when it is over, what is still active is told as new", () => {
    desk.shelve({ stream: "pump", kind: "anomaly", by: "jane", forMs: hour });
    store.record(change("new"));
    store.record(change("end"));
    store.record(change("new", { fromNs: 2n }));
    store.record(change("new", { kind: "loud" }));
    expect(told()).toEqual(["new 1 active active-unacknowledged"]); // that of the other alarm
    expect(store.list({ alarm: "shelved" })).toHaveLength(2);
    nowMs += hour - 1;
    expect(desk.endShelves()).toEqual([]);
    nowMs += 1;
    expect(desk.endShelves()).toMatchObject([{ stream: "pump", kind: "anomaly", by: "jane" }]);
    expect(told().slice(1)).toEqual(["new 2 active active-unacknowledged"]);
    expect(store.get(id)).toMatchObject({ state: "ended", alarm: "normal" });
    expect(desk.shelves()).toEqual([]);
  });

  it("of what was told already is told, and its end still comes", () => {
    store.record(change("new"));
    expect(desk.shelve({ stream: "pump", kind: "anomaly", by: "jane", forMs: hour })).toHaveLength(1);
    store.record(change("update", { count: 5 }));
    store.record(change("end", { count: 6 }));
    expect(told()).toEqual(["new 1 active active-unacknowledged", "shelve 1 active shelved", "end 1 ended shelved"]);
    expect(desk.unshelve("pump", "anomaly")).toBe(true);
    expect(desk.unshelve("pump", "anomaly")).toBe(false);
    expect(store.get(id)?.alarm).toBe("normal");
  });

  it.each([
    ["forward by five years", 5 * 365 * 24 * hour],
    ["back to before it", -hour],
  ])("ends when the clock is set %s: better one alarm too many", (_, stepMs) => {
    desk.shelve({ stream: "pump", kind: "anomaly", by: "jane", forMs: hour });
    store.record(change("new"));
    nowMs += stepMs;
    expect(desk.endShelves()).toHaveLength(1);
    expect(told()).toEqual(["new 1 active active-unacknowledged"]);
  });
});

describe("Suppression", () => {
  it("tells nothing of an alarm while another keeps it silent, and tells it when that is over", () => {
    store.record(change("new", { isSuppressed: true }));
    expect([store.get(id)?.alarm, told()]).toEqual(["suppressed", []]);
    store.record(change("update"));
    store.record(change("update", { isSuppressed: true }));
    store.record(change("update", { isSuppressed: true, count: 7 }));
    store.record(change("end"));
    expect(told()).toEqual(["new 1 active active-unacknowledged", "update 1 active suppressed", "end 1 ended normal"]);
  });
});

describe("An alarm left open by a crash", () => {
  it("ends as interrupted where it was told, and silently where it was shelved", () => {
    desk.shelve({ stream: "pump", kind: "anomaly", by: "jane", forMs: hour });
    store.record(change("new"));
    store.record(change("new", { kind: "loud" }));
    expect(store.closeInterrupted()).toHaveLength(2);
    expect(told()).toEqual(["new 1 active active-unacknowledged", "end 1 interrupted returned-unacknowledged"]);
  });
});

describe("The step of the schema from version 1", () => {
  it("keeps anomalies and what waits to be published", async () => {
    const { default: Database } = await import("better-sqlite3");
    const { migrations } = await import("../../../agent/store/migrations.ts");
    const old = new Database(":memory:");
    old.exec(migrations[0]!);
    old.exec(`INSERT INTO anomalies VALUES ('a', 's', 'k', 'major', 'active', 1, 2, 0.5, 3, 'm'),
      ('b', 's', 'k', 'major', 'ended', 1, 2, 0.5, 3, 'm');
      INSERT INTO outbox (anomaly_id, type, payload) VALUES ('a', 'new', '{}'), ('b', 'end', '{}');
      DELETE FROM outbox WHERE sequence = 1;`);
    for (const step of migrations.slice(1)) old.exec(step);
    const migrated = new AnomalyStore(old);
    expect(migrated.list().map(({ alarm }) => alarm)).toEqual(["active-unacknowledged", "normal"]);
    expect(migrated.outbox.pending(9)).toMatchObject([{ sequence: 2, anomalyId: "b", isLatest: true }]);
    migrated.closeInterrupted();
    expect(migrated.outbox.newest()).toBe(3);
  });
});
