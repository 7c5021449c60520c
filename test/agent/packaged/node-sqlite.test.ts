import { readdirSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { NodeSqlite } from "../../../agent/packaged/node-sqlite.ts";

// The suites of the store, over the SQLite of Node: where the addon cannot be loaded, all that holds must hold as well.
vi.mock("better-sqlite3", async () => ({
  default: (await import("../../../agent/packaged/node-sqlite.ts")).NodeSqlite,
}));
const folder = new URL("../store/", import.meta.url);
for (const file of readdirSync(folder)) if (file.endsWith(".test.ts")) await import(new URL(file, folder).href);

describe("The SQLite of Node behind the interface of better-sqlite3", () => {
  it("names errors as SQLite does", () => {
    const database = new NodeSqlite(":memory:").exec("CREATE TABLE t (a INTEGER PRIMARY KEY) STRICT");
    const codeOf = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    database.prepare("INSERT INTO t VALUES (?)").run(1);
    expect(codeOf(() => database.prepare("INSERT INTO t VALUES (?)").run(1))).toBe("SQLITE_CONSTRAINT");
    expect(codeOf(() => database.prepare("SELECT nothing"))).toBe("SQLITE_ERROR");
    expect(codeOf(() => new NodeSqlite("/dev/null/none"))).toBe("SQLITE_CANTOPEN");
    expect(codeOf(() => new NodeSqlite("/tmp/none.sqlite", { fileMustExist: true }))).toBe("SQLITE_CANTOPEN");
  });

  it("undoes what a transaction did when it throws, and of a transaction within only that part", () => {
    const database = new NodeSqlite(":memory:").exec("CREATE TABLE t (a INTEGER) STRICT");
    const insert = (a: number): unknown => database.prepare("INSERT INTO t VALUES (?)").run(a);
    const failing = database.transaction((a: number) => {
      insert(a);
      throw new Error("no");
    });
    expect(() => failing(1)).toThrow("no");
    database.transaction(() => {
      insert(2);
      expect(() => failing.immediate(3)).toThrow("no");
      insert(4);
    })();
    expect(database.prepare("SELECT a FROM t").pluck().all()).toEqual([2, 4]);
    expect(database.inTransaction).toBe(false);
  });
});
