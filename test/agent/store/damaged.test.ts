import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AnomalyStore } from "../../../agent/store/anomaly-store.ts";
import { damagedBeside, openSoundDatabase } from "../../../agent/store/damaged.ts";
import { closeDatabase, openDatabase } from "../../../agent/store/database.ts";
import { changeOf } from "./anomalies.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-damaged-"));
  file = join(folder, "a.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

const fill = (anomalies: number): void => {
  const database = openDatabase(file);
  const store = new AnomalyStore(database);
  for (let i = 0; i < anomalies; i++) store.record(changeOf("new", i, { kilobytes: 4 }));
  closeDatabase(database);
};
const overwrite = (at: number, bytes: number): void => {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(descriptor);
};
let nowMs = Date.UTC(2026, 10, 25);
const open = () => openSoundDatabase(file, () => nowMs++);

describe("A database that is sound", () => {
  it("is opened as it is", () => {
    fill(3);
    const { database, replaced } = open();
    expect([replaced, new AnomalyStore(database).list().length]).toEqual([undefined, 3]);
    closeDatabase(database);
    expect(readdirSync(folder)).toEqual(["a.sqlite"]);
  });
});

describe("A damaged database", () => {
  it("is put aside byte for byte, and a new one begun with what can be read of it", () => {
    fill(200);
    const size = readFileSync(file).length;
    overwrite(Math.floor(size / 2 / 4096) * 4096, 4096);
    const damaged = readFileSync(file);
    const { database, replaced } = open();
    expect(replaced).toMatch(
      /a\.sqlite was damaged \(.+\); it lies beside as a\.sqlite\.damaged-2026-11-25T\S+, .* \d+ of its rows\./,
    );
    expect(readFileSync(damagedBeside(file)[0]!)).toEqual(damaged);
    const store = new AnomalyStore(database);
    // One page of several hundred is gone: most anomalies and events are still there, and what is there is whole.
    expect(store.list().length).toBeGreaterThan(150);
    expect(store.outbox.pendingCount()).toBeGreaterThan(150);
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    expect(database.pragma("foreign_key_check")).toEqual([]);
    closeDatabase(database);
    expect(open().replaced).toBeUndefined();
  });

  it.each([
    ["a header of zeros", () => overwrite(0, 100)],
    ["a text", () => writeFileSync(file, "not a database, but long enough to have a header".repeat(30))],
    ["half its pages", () => writeFileSync(file, readFileSync(file).subarray(0, 40_960))],
    ["a torn page", () => writeFileSync(file, readFileSync(file).subarray(0, 40_000))],
  ])("is put aside with %s", (_, damage) => {
    fill(50);
    damage();
    const { database, replaced } = open();
    expect(replaced).toContain("was damaged");
    new AnomalyStore(database).record(changeOf("new", 1000));
    closeDatabase(database);
    expect(damagedBeside(file)).toHaveLength(1);
  });

  it("pushes out the oldest of three others, so that a bad disk does not fill", () => {
    for (let i = 0; i < 5; i++) {
      writeFileSync(file, "not a database, but long enough to have a header".repeat(30));
      open().database.close();
    }
    expect(damagedBeside(file)).toHaveLength(3);
  });
});
