import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { sha256Of } from "./archive.ts";

/** What is kept in a cache: bytes under a name that has their digest, so that another version is another file. */
export interface CachedFile {
  readonly name: string;
  /** Gives the bytes, where they are to be written. */
  readonly read: () => Uint8Array;
  readonly sha256: string;
}

/**
 * The path of a file in a folder that is ours alone: written once, checked by hash at each start, reused.
 *
 * @param onNotice told, in a sentence, when what lay there was not what we had written
 * @throws Error, a sentence, where the folder cannot be made, is not ours, or others may write to it
 */
export const cached = (folder: string, file: CachedFile, onNotice: (sentence: string) => void): string => {
  requirePrivate(folder);
  const path = join(folder, file.name);
  const found = contentOf(path);
  if (found !== undefined && sha256Of(found) === file.sha256) return path;
  if (found !== undefined) {
    onNotice(`${path}: expected the file as it was unpacked, got ${found.length} other bytes; it is unpacked anew`);
  }
  write(path, file.read());
  return path;
};

/**
 * Make a folder and those above it. Unlike `mkdir` with `recursive` it does not loop for ever where the system says that
 * a folder above is missing though it is there, as in /proc.
 */
export const makeFolder = (folder: string): void => {
  const missing: string[] = [];
  for (let path = resolve(folder); !isThere(path); path = dirname(path)) missing.unshift(path);
  for (const path of missing) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another process was faster
    }
  }
};

const isThere = (path: string): boolean => {
  try {
    return statSync(path) !== undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && path !== "/") return false;
    throw error;
  }
};

const requirePrivate = (folder: string): void => {
  try {
    makeFolder(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${folder}: expected a folder that can be made, got ${code}`, { cause });
  }
  const status = lstatSync(folder);
  const us = process.geteuid!();
  if (!status.isDirectory()) throw new Error(`${folder}: expected a folder, got another kind of file`);
  if (status.uid !== us) throw new Error(`${folder}: expected a folder of user ${us}, got one of user ${status.uid}`);
  if ((status.mode & 0o022) !== 0)
    throw new Error(`${folder}: expected a folder that only its owner can write to, got mode ${octal(status.mode)}`);
  for (let above = dirname(resolve(folder)); ; above = dirname(above)) {
    const { mode } = statSync(above);
    // Who may rename a folder above may put another in its place; the sticky bit forbids it.
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) {
      throw new Error(
        `${folder}: expected no folder above that all can write to, got ${above} with mode ${octal(mode)}`,
      );
    }
    if (above === dirname(above)) return;
  }
};

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");

/** Content of a file of ours; undefined where there is none. A link, or a file of another, is as good as damaged. */
const contentOf = (path: string): Uint8Array | undefined => {
  try {
    const status = lstatSync(path);
    return status.isFile() && status.uid === process.geteuid!() ? readFileSync(path) : new Uint8Array(0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return new Uint8Array(0);
  }
};

/** Whole or not at all, also when two processes start at once or the power fails. */
const write = (path: string, bytes: Uint8Array): void => {
  const temporary = `${path}.${process.pid}`;
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o500);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${path}: expected a file that can be written, got ${code}`, { cause });
  }
};
