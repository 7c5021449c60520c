import { existsSync } from "node:fs";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** Settings of a connection, as `better-sqlite3` has them. */
export interface NodeSqliteOptions {
  readonly fileMustExist?: boolean | undefined;
  readonly readonly?: boolean | undefined;
  /** How long to wait for another connection's lock, ms. */
  readonly timeout?: number | undefined;
}

type Row = Record<string, unknown>;
type Mode = "DEFERRED" | "IMMEDIATE" | "EXCLUSIVE";
type Work = (...values: never[]) => unknown;

/**
 * The SQLite of Node behind the interface of `better-sqlite3`, as far as the store uses it: for machines that cannot load
 * the addon. The tests of the store run over both.
 */
export class NodeSqlite {
  readonly #database: DatabaseSync;
  readonly name: string;

  /** @throws Error with the `code` of SQLite, as `SQLITE_CANTOPEN` */
  constructor(file: string, { fileMustExist = false, readonly = false, timeout = 5000 }: NodeSqliteOptions = {}) {
    if (fileMustExist && file !== ":memory:" && !existsSync(file))
      throw sqliteError("unable to open database file", 14);
    // A static import would print a warning at each start, in machines that do not need it as well.
    const sqlite = process.getBuiltinModule("node:sqlite");
    this.#database = translated(() => new sqlite.DatabaseSync(file, { readOnly: readonly, timeout }));
    this.name = file;
  }

  get open(): boolean {
    return this.#database.isOpen;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  prepare(sql: string): NodeStatement {
    return new NodeStatement(translated(() => this.#database.prepare(sql)));
  }

  exec(sql: string): this {
    translated(() => this.#database.exec(sql));
    return this;
  }

  pragma(source: string, { simple = false }: { readonly simple?: boolean } = {}): unknown {
    const statement = this.prepare(`PRAGMA ${source}`);
    return simple ? statement.pluck().get() : statement.all();
  }

  close(): this {
    if (this.open) translated(() => this.#database.close());
    return this;
  }

  /** A function that runs `work` in a transaction; within another one, in a savepoint. */
  transaction<F extends Work>(work: F): F & Record<"deferred" | "immediate" | "exclusive", F> {
    const as =
      (mode: Mode) =>
      (...values: Parameters<F>): unknown =>
        this.#within(mode, () => work(...values));
    const modes = { deferred: as("DEFERRED"), immediate: as("IMMEDIATE"), exclusive: as("EXCLUSIVE") };
    return Object.assign(as("DEFERRED"), modes) as never;
  }

  #within<T>(mode: Mode, work: () => T): T {
    const isInner = this.inTransaction;
    this.exec(isInner ? "SAVEPOINT inner" : `BEGIN ${mode}`);
    try {
      const result = work();
      this.exec(isInner ? "RELEASE inner" : "COMMIT");
      return result;
    } catch (error) {
      // An error of SQLite may have ended the transaction already.
      if (this.inTransaction) this.exec(isInner ? "ROLLBACK TO inner; RELEASE inner" : "ROLLBACK");
      throw error;
    }
  }
}

/** A prepared statement. */
class NodeStatement {
  readonly #statement: StatementSync;
  #isPlucked = false;
  #isSafe = false;

  constructor(statement: StatementSync) {
    statement.setAllowUnknownNamedParameters(true);
    statement.setReadBigInts(true); // as numbers it refuses those beyond 2⁵³, where better-sqlite3 rounds them
    this.#statement = statement;
  }

  /** Give the first column of each row alone. */
  pluck(isOn = true): this {
    this.#isPlucked = isOn;
    return this;
  }

  /** Give integers as `bigint`. */
  safeIntegers(isOn = true): this {
    this.#isSafe = isOn;
    return this;
  }

  run(...values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint } {
    const { changes, lastInsertRowid } = translated(() => this.#statement.run(...bound(values)));
    return { changes: Number(changes), lastInsertRowid: this.#value(lastInsertRowid) as number | bigint };
  }

  get(...values: readonly unknown[]): unknown {
    const row = translated(() => this.#statement.get(...bound(values)));
    return row === undefined ? undefined : this.#shaped(row);
  }

  all(...values: readonly unknown[]): unknown[] {
    return translated(() => this.#statement.all(...bound(values))).map((row) => this.#shaped(row));
  }

  *iterate(...values: readonly unknown[]): Generator<unknown> {
    const rows = translated(() => this.#statement.iterate(...bound(values)));
    for (;;) {
      const { done, value } = translated(() => rows.next());
      if (done) return;
      yield this.#shaped(value as Row);
    }
  }

  #shaped(row: Row): unknown {
    const entries = Object.entries(row).map(([name, value]) => [name, this.#value(value)] as const);
    return this.#isPlucked ? entries[0]?.[1] : Object.fromEntries(entries);
  }

  #value(value: unknown): unknown {
    if (typeof value === "bigint" && !this.#isSafe) return Number(value);
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return value;
  }
}

/** Values by place, or one object by name; lists are laid out flat. */
const bound = (values: readonly unknown[]): SQLInputValue[] => values.flat() as SQLInputValue[];

/** Do what may fail in SQLite, with its code by name. */
const translated = <T>(work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    const { errcode, message } = cause as { errcode?: number; message: string };
    throw errcode === undefined ? cause : sqliteError(message, errcode, { cause });
  }
};

/** [sqlite.org/rescode.html] Primary result codes, from 1 on: the low byte of each code. */
const names = (
  "ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY " +
  "SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB"
).split(" ");

const sqliteError = (message: string, errcode: number, options?: ErrorOptions): Error =>
  Object.assign(new Error(message, options), { code: `SQLITE_${names[(errcode & 0xff) - 1] ?? "ERROR"}` });
