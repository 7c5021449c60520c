import BetterSqlite3 from "better-sqlite3";
import { cacheFolders, loadAddon } from "./addon.ts";
import { NodeSqlite } from "./node-sqlite.ts";
import { ownArchive } from "./program-files.ts";

/*
 * SQLite in the single binary, in the place of the package `better-sqlite3`: its addon unpacked into a private cache, or,
 * where that cannot be, the SQLite of Node itself. Which of the two is a matter of the machine, not of the caller.
 */

const path = "better-sqlite3.node";
let engine: { readonly addon: object | undefined } | undefined;

const engineOfThisMachine = (): { readonly addon: object | undefined } => {
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const sha256 = ownArchive().sha256(path);
  const file = { name: `better-sqlite3-${sha256.slice(0, 16)}.node`, read: () => ownArchive().read(path), sha256 };
  const loaded = loadAddon(file, cacheFolders(process.env), say);
  if (loaded.ok) return { addon: loaded.addon };
  say(`better-sqlite3: ${loaded.reasons.join("; ")}. The SQLite of Node is used instead.`);
  return { addon: undefined };
};

/** Opens a database with whichever SQLite this machine can have. */
export default class PackagedDatabase {
  constructor(file: string, options: BetterSqlite3.Options = {}) {
    engine ??= engineOfThisMachine();
    // biome-ignore lint/correctness/noConstructorReturn: `new Database(…)` is what callers write
    return (
      engine.addon === undefined
        ? new NodeSqlite(file, options)
        : new BetterSqlite3(file, { ...options, nativeBinding: engine.addon as unknown as string })
    ) as PackagedDatabase;
  }
}
