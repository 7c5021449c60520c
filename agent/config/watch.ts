import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { overlayFolder, readTexts } from "./layers.ts";

/** Time in which the changes of one edit come together. */
const settleMs = 200;

/** Watches a configuration. */
export interface ConfigWatch {
  close(): void;
}

/**
 * Call `onChange` when the text of a configuration, or of a file in `conf.d` beside it, has become another: written in
 * place, put in its place by renaming, or behind a link that now leads elsewhere. Touching a file changes nothing.
 *
 * @param onBlind told where the folder cannot be watched
 */
export const watchConfig = (file: string, onChange: () => void, onBlind: (why: string) => void): ConfigWatch => {
  let before = fingerprint(file);
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      watchers = rewatch(watchers);
      const now = fingerprint(file);
      if (now === before) return;
      before = now;
      onChange();
    }, settleMs);
  };
  const open = (folder: string, isNeeded: boolean): FSWatcher | undefined => {
    try {
      const watcher = watch(folder, { persistent: false }, look);
      watcher.on("error", look);
      return watcher;
    } catch (error) {
      if (isNeeded) onBlind(`${folder}: ${(error as NodeJS.ErrnoException).code ?? error}`);
      return undefined;
    }
  };
  /** `conf.d` may come and go. */
  const rewatch = ([folder, overlay]: readonly (FSWatcher | undefined)[]): readonly (FSWatcher | undefined)[] => {
    overlay?.close();
    return [folder, open(overlayFolder(file), false)];
  };
  let watchers = rewatch([open(dirname(file), true)]);
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher?.close();
    },
  };
};

/** What the files say, as a hash; what cannot be read counts as its sentence. */
const fingerprint = (file: string): string => {
  const hash = createHash("sha256");
  try {
    for (const { file: name, text } of readTexts(file)) hash.update(`${name}\0${text}\0`);
  } catch (error) {
    hash.update(String(error));
  }
  return hash.digest("hex");
};
