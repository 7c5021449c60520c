import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { DatabaseError, inSentences } from "./database.ts";
import { migrations } from "./migrations.ts";

/** A database as it lies on the disk. */
export interface Examined {
  readonly bytes: number;
  /** Steps of our schema that it has, of how many there are. */
  readonly version: number;
  readonly newest: number;
  readonly sqlite: string;
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Look at a database without changing it, also while an agent writes to it.
 * @throws DatabaseError 74 where it is damaged or none of ours, 73 where it may not be opened
 */
export const examineDatabase = (file: string): Examined => {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { fileMustExist: true, timeout: 5000 });
    database.pragma("query_only = ON");
    const state = database.pragma("quick_check(1)", { simple: true });
    if (state !== "ok") throw new DatabaseError(74, `${file}: expected an unharmed database, got ${state}`);
    const version = Number(database.pragma("user_version", { simple: true }));
    if (version > migrations.length) {
      const message = `${file}: expected a database of version ≤ ${migrations.length}, got ${version}, which a newer Ohmwatch made`;
      throw new DatabaseError(74, message);
    }
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
      .pluck()
      .all() as string[];
    const count = (table: string): number =>
      Number(
        database!
          .prepare(`SELECT COUNT(*) FROM "${table.replaceAll('"', '""')}"`)
          .pluck()
          .get(),
      );
    return {
      bytes: statSync(file).size,
      version,
      newest: migrations.length,
      sqlite: String(database.prepare("SELECT sqlite_version()").pluck().get()),
      rows: Object.fromEntries(tables.map((table) => [table, count(table)])),
    };
  } catch (cause) {
    throw inSentences(cause, file);
  } finally {
    database?.close();
  }
};
