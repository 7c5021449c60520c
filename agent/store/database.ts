import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { migrations } from "./migrations.ts";

/** An open database. */
export type OpenDatabase = Database.Database;

/** A database that cannot be used. Exit code 73 where it cannot be created, 74 where it cannot be read or written, 66 where it is not there. */
export class DatabaseError extends Error {
  readonly exitCode: 66 | 73 | 74;

  constructor(exitCode: 66 | 73 | 74, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DatabaseError";
    this.exitCode = exitCode;
  }
}

/**
 * Open a database for writing, make it and its folder where they are missing, and bring its schema up to date.
 * WAL with `synchronous = FULL`: what `record` returned from survives a power cut.
 * @param file path, or `:memory:`
 * @throws DatabaseError with a sentence that names the file
 */
export const openDatabase = (file: string): OpenDatabase => {
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    const database = new Database(file, { timeout: 5000 });
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    migrate(database, file);
    return database;
  } catch (cause) {
    throw inSentences(cause, file);
  }
};

/**
 * Open an existing database and let it refuse every write. Not by `readonly`: such a connection leaves its `-wal` and
 * `-shm` behind.
 *
 * @throws DatabaseError where it is missing or is none of ours
 */
export const openForReading = (file: string): OpenDatabase => {
  const database = openForActing(file);
  database.pragma("query_only = ON");
  return database;
};

/**
 * Open an existing database to write a little into it, as a command does while the agent runs. Close it by `close()`: the
 * agent sees to the rest.
 *
 * @throws DatabaseError where it is missing or is none of ours
 */
export const openForActing = (file: string): OpenDatabase => {
  if (!existsSync(file)) throw new DatabaseError(66, `${file}: expected a database, got no such file`);
  try {
    const database = new Database(file, { fileMustExist: true, timeout: 5000 });
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    const version = versionOf(database);
    if (version !== migrations.length) {
      const message = `${file}: expected a database of version ${migrations.length}, got ${version}; \`run\` or \`replay\` brings it up to date`;
      throw new DatabaseError(74, message);
    }
    return database;
  } catch (cause) {
    throw inSentences(cause, file);
  }
};

/** Write everything back into the one file and close: no `-wal` or `-shm` file stays behind. */
export const closeDatabase = (database: OpenDatabase): void => {
  if (!database.pragma("query_only", { simple: true })) database.pragma("wal_checkpoint(TRUNCATE)");
  database.close();
};

const versionOf = (database: OpenDatabase): number => Number(database.pragma("user_version", { simple: true }));

const migrate = (database: OpenDatabase, file: string): void => {
  const version = versionOf(database);
  if (version > migrations.length) {
    const message = `${file}: expected a database of version ≤ ${migrations.length}, got ${version}, which a newer Ohmwatch made`;
    throw new DatabaseError(74, message);
  }
  for (let step = version; step < migrations.length; step++) {
    database.transaction(() => {
      database.exec(migrations[step]!);
      database.pragma(`user_version = ${step + 1}`);
    })();
  }
};

/** An error of SQLite or of the file system as a sentence that names the file. */
export const inSentences = (cause: unknown, file: string): DatabaseError => {
  if (cause instanceof DatabaseError) return cause;
  const code = String((cause as { code?: unknown }).code ?? "");
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT") {
    return new DatabaseError(74, `${file}: expected an SQLite database, got a file that is none (${code})`, { cause });
  }
  const exitCode = ["SQLITE_CANTOPEN", "EACCES", "EROFS", "ENOTDIR", "EEXIST", "EPERM"].includes(code) ? 73 : 74;
  return new DatabaseError(exitCode, `${file}: expected a database that can be opened, got ${code} ${message}`, {
    cause,
  });
};
