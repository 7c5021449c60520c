import { Archive } from "./archive.ts";

/*
 * The files that come with the program, inside the single binary: what `agent/program-files.ts` is in a checkout.
 * `tools/package` puts this module in its place. All is read where the operating system mapped it; nothing is unpacked.
 */

/** The archive in the running binary: an asset of its own, or a file among those of `pkg`, whose manifest says where. */
const openOwnArchive = (): Archive => {
  const sea = process.getBuiltinModule("node:sea");
  const own = sea.getAssetKeys().includes(archiveName);
  if (own) return new Archive(Buffer.from(sea.getRawAsset(archiveName) as ArrayBuffer));
  const { offsets } = JSON.parse(sea.getAsset("__pkg_manifest__", "utf8")) as {
    offsets: Readonly<Record<string, readonly [number, number]>>;
  };
  const key = Object.keys(offsets).find((path) => path.endsWith(`/${archiveName}`))!;
  return new Archive(Buffer.from(sea.getRawAsset("__pkg_archive__") as ArrayBuffer, ...offsets[key]!));
};

/** Name of the archive in a binary. */
export const archiveName = "program.archive";

let opened: Archive | undefined;
/** The archive of this binary. */
export const ownArchive = (): Archive => {
  opened ??= openOwnArchive();
  return opened;
};

/** As in `agent/program-files.ts`. */
export const programBytes = (path: string): Buffer => ownArchive().read(path);

/** As in `agent/program-files.ts`. */
export const programNames = (folder: string): readonly string[] => {
  const inside = ownArchive().paths.filter((path) => path.startsWith(`${folder}/`));
  return [...new Set(inside.map((path) => path.slice(folder.length + 1).split("/", 1)[0]!))].sort();
};

/** As in `agent/program-files.ts`. */
export const damagedFiles = (): { readonly damaged: readonly string[]; readonly count: number } => {
  const { paths } = ownArchive();
  const isDamaged = (path: string): boolean => {
    try {
      ownArchive().read(path);
      return false;
    } catch {
      return true;
    }
  };
  return { damaged: paths.filter(isDamaged), count: paths.length };
};

/**
 * A module for a thread of its own, or to import: what the URL of its source is in a checkout.
 * `tools/bundle.ts` puts a call of this in its place.
 */
export const programModule = (name: string): URL =>
  new URL(`data:text/javascript;base64,${programBytes(`threads/${name}`).toString("base64")}`);
