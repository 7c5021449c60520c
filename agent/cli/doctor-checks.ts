import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { databaseFileOf } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { addressOf, isLoopback, readToken } from "../http/address.ts";
import { openModel } from "../models.ts";
import { visit } from "../mqtt/visitor.ts";
import { damagedBeside } from "../store/damaged.ts";
import { examineDatabase } from "../store/examine.ts";
import { ExitError, exitCodes } from "./exit.ts";

/** Least room that the state's disk must have. */
const leastFreeBytes = 100e6;

/** That the machine's clock was set, and not back: alarms carry its time. @param files written before now */
export const checkClock = (now: Date, files: readonly string[]): string => {
  if (now.getUTCFullYear() < 2025) {
    throw new ExitError(
      `expected a clock that was set, got ${now.toISOString()}; set it, e.g. timedatectl set-ntp true`,
      exitCodes.failed,
    );
  }
  for (const file of files.filter((each) => existsSync(each))) {
    const writtenAt = statSync(file).mtime;
    if (writtenAt.getTime() > now.getTime() + 3_600_000) {
      throw new ExitError(
        `expected a clock after ${writtenAt.toISOString()}, when ${file} was written, got ${now.toISOString()}`,
        exitCodes.failed,
      );
    }
  }
  return now.toISOString();
};

/** That the database is whole, or can be made. */
export const checkDatabase = (config: Config): string => {
  const file = databaseFileOf(config);
  if (!existsSync(file)) {
    checkWritable(dirname(file));
    return `${file} will be made at the first start`;
  }
  try {
    const { version, newest, sqlite, rows, bytes } = examineDatabase(file);
    checkWritable(dirname(file));
    const aside = damagedBeside(file);
    if (aside.length > 0) {
      const message = `expected no damaged database put aside, got ${aside.join(", ")}; look into it, then remove it`;
      throw new ExitError(message, exitCodes.cannotWrite);
    }
    const later = version < newest ? `, version ${version}, which the next start brings to ${newest}` : "";
    const { anomalies = 0 } = rows;
    return `${file}, ${(bytes / 1e6).toFixed(1)} MB, ${anomalies} anomalies, SQLite ${sqlite}${later}`;
  } catch (error) {
    if (!(error instanceof Error) || !/unharmed|SQLite database/.test(error.message)) throw error;
    const hint = `stop the agent, save what can be read with \`sqlite3 ${file} .recover > saved.sql\`, and move the file aside: the next start makes a new one`;
    throw Object.assign(new Error(`${error.message}; ${hint}`, { cause: error }), { exitCode: exitCodes.cannotWrite });
  }
};

/** That the state's folder, or the nearest one above it, can be written to. */
const checkWritable = (folder: string): void => {
  let nearest = resolve(folder);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ExitError(`${folder}: expected a folder that can be written to, got ${code}`, exitCodes.cannotCreate, {
      cause,
    });
  }
};

/** That the state's disk has room, in bytes and in files. */
export const checkDisk = (folder: string): string => {
  let nearest = resolve(folder);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  const { bavail, bsize, ffree, files } = statfsSync(nearest);
  const free = bavail * bsize;
  if (free < leastFreeBytes) {
    throw new ExitError(`${nearest}: expected 100 MB free, got ${(free / 1e6).toFixed(0)} MB`, exitCodes.cannotWrite);
  }
  // Some file systems count no inodes and say 0 of 0.
  if (files > 0 && ffree < 100) {
    throw new ExitError(`${nearest}: expected room for 100 files, got ${ffree}`, exitCodes.cannotWrite);
  }
  return `${(free / 1e9).toFixed(1)} GB free at ${nearest}`;
};

/** That the broker takes us, with our credentials. */
export const checkBroker = async ({ mqtt }: Config): Promise<string> => {
  if (mqtt.url === undefined) return `embedded, port ${mqtt.embeddedPort}`;
  const visitor = await visit(mqtt, "doctor");
  await visitor.close();
  return `${mqtt.url.replace(/\/\/[^@/]*@/, "//")} takes us`;
};

/** That what is served is served to nobody else. */
export const checkHttp = ({ http }: Config): string => {
  if (http === undefined) return "not served: no http.listen";
  const { host } = addressOf(http.listen);
  if (http.tokenFile !== undefined) readToken(http.tokenFile);
  else if (!isLoopback(host)) {
    const message = `http.listen: expected a loopback address, or http.tokenFile beside it, got ${http.listen}`;
    throw new ExitError(message, exitCodes.config);
  }
  return `${http.listen}, ${http.tokenFile === undefined ? "this machine alone" : "with a token"}`;
};

/** That each model can be read, without a crossbar. */
export const checkModels = (names: readonly string[], chip: Config["chip"]): string => {
  for (const name of names) openModel(name, { ...chip, device: "digital" });
  return names.length === 0 ? "none in the zoo" : names.join(", ");
};
