import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseError, type OpenDatabase, openDatabase, openRaw } from "./database.ts";

/** Damaged databases that are kept aside; the oldest give way. */
const kept = 3;

/** A database, and what had to be done to have one. */
export interface SoundDatabase {
  readonly database: OpenDatabase;
  /** A sentence, where the one that was there is damaged. */
  readonly replaced?: string;
}

/**
 * Open a database that is sound. A damaged one is put aside, `FILE.damaged-TIME`, and a new one begun with all of it that
 * can still be read: rows up to the damage from either end of each table.
 *
 * @throws DatabaseError for every other trouble
 */
export const openSoundDatabase = (file: string, nowMs: () => number): SoundDatabase => {
  const damage = file === ":memory:" || !existsSync(file) ? undefined : damageOf(file);
  if (damage === undefined) return { database: openDatabase(file) };
  const stamp = new Date(nowMs()).toISOString().replace(/[:.]/g, "-");
  const aside = `${file}.damaged-${stamp}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  const database = openDatabase(file);
  const rows = salvage(aside, database);
  for (const old of damagedBeside(file).slice(0, -kept)) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(old + suffix, { force: true });
  }
  const replaced = `${file} was damaged (${damage}); it lies beside as ${basename(aside)}, a new one was begun with ${rows} of its rows.`;
  return { database, replaced };
};

/** Damaged databases that were put aside, oldest first. */
export const damagedBeside = (file: string): readonly string[] => {
  const folder = dirname(file);
  if (!existsSync(folder)) return [];
  const pattern = `${basename(file)}.damaged-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(pattern) && !/-(wal|shm)$/.test(name));
  return names.sort().map((name) => join(folder, name));
};

/** What is wrong with a database file; undefined where nothing is. */
const damageOf = (file: string): string | undefined => {
  let database: OpenDatabase | undefined;
  try {
    database = openRaw(file);
    const found = String(database.pragma("quick_check(1)", { simple: true }));
    return found === "ok" ? undefined : found.replaceAll(/\*\*\*.*?\*\*\*|\n/g, " ").trim();
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string };
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return message;
    throw error instanceof DatabaseError
      ? error
      : new DatabaseError(74, `${file}: expected a database, got ${code} ${message}`);
  } finally {
    database?.close();
  }
};

/** Rows read at once; close to the damage one by one. */
const rowsAtOnce = 64;

/** Copy what can be read. @returns how many rows */
const salvage = (from: string, into: OpenDatabase): number => {
  let damaged: OpenDatabase | undefined;
  let rows = 0;
  try {
    damaged = openRaw(from);
    const tables = into
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rootpage")
      .pluck()
      .all() as string[];
    into.pragma("foreign_keys = OFF");
    const source = damaged;
    const copy = into.transaction((table: string) => salvageTable(table, source, into));
    for (const table of tables) rows += copy(table);
    into.exec("DELETE FROM evidence WHERE anomaly_id NOT IN (SELECT id FROM anomalies)");
    into.exec("DELETE FROM acknowledgements WHERE anomaly_id NOT IN (SELECT id FROM anomalies)");
  } catch {
    // Not even its schema can be read.
  } finally {
    into.pragma("foreign_keys = ON");
    damaged?.close();
  }
  return rows;
};

const salvageTable = (table: string, damaged: OpenDatabase, into: OpenDatabase): number => {
  const columnsOf = (database: OpenDatabase): string[] =>
    database.prepare(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() as string[];
  const key = into.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE pk = 1`).pluck().get();
  let rows = 0;
  for (const direction of ["ASC", "DESC"]) {
    try {
      const there = columnsOf(damaged);
      const columns = columnsOf(into).filter((column) => there.includes(column));
      const insert = into.prepare(
        `INSERT OR IGNORE INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      );
      const select = damaged
        .prepare(`SELECT ${columns.join(", ")} FROM ${table} ORDER BY ${key} ${direction} LIMIT ? OFFSET ?`)
        .safeIntegers();
      for (let offset = 0, size = rowsAtOnce; ; offset += size) {
        let some: unknown[];
        try {
          some = select.all(size, offset);
        } catch (error) {
          if (size === 1) throw error;
          some = select.all(1, offset);
          size = 1;
        }
        for (const row of some) rows += insert.run(...Object.values(row as object)).changes;
        if (some.length < size) break;
      }
    } catch {
      // The damage is reached: the other end may still be read.
    }
  }
  return rows;
};
