import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type CachedFile, cached } from "./cache.ts";

/** A folder for the cache, and where its name came from. */
export interface CacheFolder {
  readonly path: string;
  readonly from: string;
}

/** The cache that the user named cannot be used. Exit code 73. */
export class CacheError extends Error {
  readonly exitCode = 73;
}

/**
 * Folders where an addon may be kept, best first: what `OHMWATCH_CACHE` says, and that alone; else what systemd gives, what
 * XDG says, what the home is, with or without `HOME`.
 */
export const cacheFolders = (environment: Readonly<Record<string, string | undefined>>): readonly CacheFolder[] => {
  const { OHMWATCH_CACHE, CACHE_DIRECTORY, XDG_CACHE_HOME, STATE_DIRECTORY } = environment;
  if (OHMWATCH_CACHE) return [{ path: resolve(OHMWATCH_CACHE), from: "OHMWATCH_CACHE" }];
  const folders: CacheFolder[] = [];
  const add = (path: string | undefined, from: string): void => {
    // [XDG base directories] A relative path is to be ignored. A home of / is that of a user without one.
    if (path?.startsWith("/") && !folders.some((folder) => folder.path === path)) folders.push({ path, from });
  };
  add(CACHE_DIRECTORY?.split(":", 1)[0], "CACHE_DIRECTORY");
  add(XDG_CACHE_HOME && join(XDG_CACHE_HOME, "ohmwatch"), "XDG_CACHE_HOME");
  add(join(homeOf(), ".cache/ohmwatch"), "home");
  add(STATE_DIRECTORY && join(STATE_DIRECTORY.split(":", 1)[0]!, "cache"), "STATE_DIRECTORY");
  return folders;
};

const homeOf = (): string => {
  try {
    return homedir();
  } catch {
    return ""; // neither HOME nor an entry in the list of users
  }
};

/** An addon that is loaded, or why it is not. */
export type LoadedAddon =
  | { readonly ok: true; readonly addon: object; readonly path: string }
  | { readonly ok: false; readonly reasons: readonly string[] };

/**
 * Unpack an addon into the first folder that is private and may hold what is executed, and load it.
 * @throws CacheError where the folder that the user named is no such folder
 */
export const loadAddon = (
  file: CachedFile,
  folders: readonly CacheFolder[],
  onNotice: (sentence: string) => void,
): LoadedAddon => {
  const reasons: string[] = [];
  for (const { path: folder, from } of folders) {
    try {
      const path = cached(folder, file, onNotice);
      const module = { exports: {} };
      try {
        process.dlopen(module, path);
      } catch (cause) {
        throw new Error(`${path}: expected an addon that this machine can load, got ${sentenceOf(cause)}`, { cause });
      }
      return { ok: true, addon: module.exports, path };
    } catch (error) {
      if (from === "OHMWATCH_CACHE" && !isTooOld(error)) {
        throw new CacheError(`OHMWATCH_CACHE: ${sentenceOf(error)}`, { cause: error });
      }
      reasons.push(sentenceOf(error));
      if (isTooOld(error)) break; // elsewhere it would be the same
    }
  }
  return { ok: false, reasons: reasons.length > 0 ? reasons : ["expected a folder for the cache, got none: no HOME"] };
};

const isTooOld = (error: unknown): boolean => /version `?GLIBC/.test(sentenceOf(error));

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message.trim() : String(error));
