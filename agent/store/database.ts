import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { migrations } from "./migrations.ts";

/** An open database. */
export type OpenDatabase = Database.Database;

/** A database that cannot be used. Exit code 73 where it cannot be created, 74 where it cannot be read or written, 66 where it is not there. */
export class DatabaseError extends Error {
  readonly exitCode: 66 | 73 | 74;
  /** The file is there and is none of ours, or no longer: it may be put aside. */
  readonly isDamaged: boolean;

  constructor(exitCode: 66 | 73 | 74, message: string, options?: ErrorOptions & { readonly isDamaged?: boolean }) {
    super(message, options);
    this.name = "DatabaseError";
    this.exitCode = exitCode;
    this.isDamaged = options?.isDamaged ?? false;
  }
}

/** What a file of ours is: the steps that lead to its schema, and the SQLite application id that tells it from others. */
export interface Schema {
  readonly steps: readonly string[];
  /** Without it any file will do. */
  readonly applicationId?: number;
}

/**
 * Open a database for writing, make it and its folder where they are missing, and bring its schema up to date.
 * WAL with `synchronous = FULL`: what `record` returned from survives a power cut.
 * @param file path, or `:memory:`
 * @throws DatabaseError with a sentence that names the file
 */
export const openDatabase = (file: string): OpenDatabase => {
  const database = openWithSchema(file, { steps: migrations });
  database.pragma(`wal_autocheckpoint = ${largestLogPages}`);
  giveBackRoom(database);
  return database;
};

/** As `openDatabase`, for a file of another schema. @throws DatabaseError with a sentence that names the file */
export const openWithSchema = (file: string, schema: Schema): OpenDatabase => {
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    const database = openRaw(file);
    database.pragma("auto_vacuum = INCREMENTAL");
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    database.pragma("temp_store = MEMORY"); // no file in /var/tmp, which may be read-only, or on another disk
    expectOurs(database, file, schema);
    migrate(database, file, schema.steps);
    return database;
  } catch (cause) {
    throw inSentences(cause, file);
  }
};

/** Open a file as it is. @throws what SQLite throws */
export const openRaw = (file: string): OpenDatabase => new Database(file, { timeout: 1000 });

/** Pages of the log at which a write checkpoints it, whatever else is going on: 4 MB. Before that housekeeping does. */
const largestLogPages = 1000;

/** A database that was made before pages could be given back to the disk is written anew, once. */
const giveBackRoom = (database: OpenDatabase): void => {
  if (database.pragma("auto_vacuum", { simple: true }) === 2) return;
  try {
    database.exec("VACUUM");
  } catch {
    // No room for a second copy now: it works as it is, and the next start tries again.
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
  try {
    if (!database.pragma("query_only", { simple: true })) database.pragma("wal_checkpoint(TRUNCATE)");
  } catch {
    // A full disk: what the log holds stays in it, and the next start reads it.
  }
  database.close();
};

const versionOf = (database: OpenDatabase): number => Number(database.pragma("user_version", { simple: true }));

const expectOurs = (database: OpenDatabase, file: string, { applicationId }: Schema): void => {
  if (applicationId === undefined) return;
  const got = Number(database.pragma("application_id", { simple: true }));
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;
  if (got === applicationId) return;
  if (!isEmpty) {
    database.close();
    const message = `${file}: expected a database with the application id ${applicationId}, got ${got}`;
    throw new DatabaseError(74, message, { isDamaged: true });
  }
  database.pragma(`application_id = ${applicationId}`);
};

const migrate = (database: OpenDatabase, file: string, steps: readonly string[]): void => {
  const version = versionOf(database);
  if (version > steps.length) {
    const message = `${file}: expected a database of version ≤ ${steps.length}, got ${version}, which a newer Ohmwatch made`;
    throw new DatabaseError(74, message);
  }
  for (let step = version; step < steps.length; step++) {
    database.transaction(() => {
      database.exec(steps[step]!);
      database.pragma(`user_version = ${step + 1}`);
    })();
  }
};

/** An error of SQLite or of the file system as a sentence that names the file. */
export const inSentences = (cause: unknown, file: string): DatabaseError => {
  if (cause instanceof Error && "exitCode" in cause) return cause as DatabaseError; // has its sentence already
  const code = String((cause as { code?: unknown }).code ?? "");
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === "SQLITE_NOTADB" || code === "SQLITE_CORRUPT") {
    const sentence = `${file}: expected an SQLite database, got a file that is none (${code})`;
    return new DatabaseError(74, sentence, { cause, isDamaged: true });
  }
  const exitCode = ["SQLITE_CANTOPEN", "EACCES", "EROFS", "ENOTDIR", "EEXIST", "EPERM"].includes(code) ? 73 : 74;
  return new DatabaseError(exitCode, `${file}: expected a database that can be opened, got ${code} ${message}`, {
    cause,
  });
};
