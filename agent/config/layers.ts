import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ConfigDocument } from "./document.ts";
import { ConfigError, type Path } from "./mistakes.ts";

/** The text of one file of a configuration. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/** The folder whose files are laid over a configuration: `conf.d` beside it. */
export const overlayFolder = (file: string): string => join(dirname(file), "conf.d");

/** A configuration's file and, in the order of their names, those of `conf.d` beside it. @throws ConfigError */
export const readTexts = (file: string): readonly ConfigText[] =>
  [file, ...overlayFiles(overlayFolder(file))].map((each) => ({ file: each, text: readText(each) }));

const overlayFiles = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => /^[^.].*\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new ConfigError([{ where: folder, path: [], expected: "a readable folder", got: code ?? String(error) }]);
  }
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError([{ where: file, path: [], expected: "a readable configuration file", got }]);
  }
};

/** Several files as one. */
export interface Layered {
  readonly data: unknown;
  /** `file:line` of what a setting was last said by. */
  where(path: Path): string;
}

/**
 * Lay files over each other, the later over the earlier: sections setting by setting, lists whose entries have a `name`
 * (streams, tests) entry by entry, other lists as a whole.
 */
export const layered = (documents: readonly ConfigDocument[]): Layered => {
  const origins = new Map<string, { readonly document: ConfigDocument; readonly path: Path }>();
  const note = (value: unknown, at: Path, document: ConfigDocument, path: Path): void => {
    origins.set(at.join("."), { document, path });
    for (const [key, child] of childrenOf(value)) note(child, [...at, key], document, [...path, key]);
  };
  const lay = (under: unknown, over: unknown, at: Path, document: ConfigDocument, path: Path): unknown => {
    if (isNamedList(under) && isNamedList(over)) {
      const earlier = under.length;
      const result: unknown[] = [...under];
      over.forEach((entry, i) => {
        const known = under.findIndex(({ name }, k) => k < earlier && name === entry.name);
        const index = known < 0 ? result.length : known;
        result[index] = lay(result[index], entry, [...at, index], document, [...path, i]);
      });
      return result;
    }
    if (isSection(under) && isSection(over)) {
      origins.set(at.join("."), { document, path });
      const laid = Object.entries(over).map(([key, value]) => [
        key,
        lay(under[key], value, [...at, key], document, [...path, key]),
      ]);
      return { ...under, ...Object.fromEntries(laid) };
    }
    note(over, at, document, path);
    return over;
  };
  const data = documents.reduce<unknown>(
    (under, document) => (document.data === null ? under : lay(under, document.data, [], document, [])),
    undefined,
  );
  return {
    data,
    where: (path) => {
      for (let depth = path.length; depth >= 0; depth--) {
        const origin = origins.get(path.slice(0, depth).join("."));
        if (origin !== undefined) return origin.document.where([...origin.path, ...path.slice(depth)]);
      }
      return documents[0]!.where(path);
    },
  };
};

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNamedList = (value: unknown): value is readonly { readonly name: string }[] =>
  Array.isArray(value) && value.every((entry) => isSection(entry) && typeof entry["name"] === "string");

const childrenOf = (value: unknown): readonly (readonly [string | number, unknown])[] => {
  if (Array.isArray(value)) return value.map((child, i) => [i, child]);
  return isSection(value) ? Object.entries(value) : [];
};
