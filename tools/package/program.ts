import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { packArchive } from "../../agent/packaged/archive.ts";
import { type Bundles, bundleProgram, root } from "../bundle.ts";
import { type Component, componentsOf, licencesText } from "./licences.ts";
import { type Architecture, nodeVersion } from "./node-base.ts";

/** What goes into a binary beside Node. */
export interface ProgramParts {
  /** CommonJS. */
  readonly main: string;
  /** As `agent/packaged/archive.ts` lays it out. */
  readonly archive: Buffer;
  readonly components: readonly Component[];
}

/** Folders whose files are inside by their own path, and which of their files. */
const folders = [
  { folder: "models/zoo", holds: (path: string) => /\/(model\.onnx|card\.md|recipe\.yaml)$/.test(path) },
  { folder: "fixtures", holds: () => true },
];

let bundles: Promise<Bundles> | undefined;

/** The program for an architecture. */
export const programFor = async (architecture: Architecture): Promise<ProgramParts> => {
  bundles ??= bundleProgram({ kind: "binary" });
  const { main, threads, packages } = await bundles;
  const components = componentsOf(packages, nodeVersion());
  const files = new Map<string, Uint8Array>();
  const add = (path: string, bytes: Uint8Array = readFileSync(join(root, path))): void => void files.set(path, bytes);
  for (const { folder, holds } of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      const path = `${folder}/${name}`;
      if (holds(path) && statSync(join(root, path)).isFile()) add(path);
    }
  }
  add("package.json");
  add("licences.txt", Buffer.from(licencesText(components)));
  add(
    "better-sqlite3.node",
    readFileSync(join(root, `node_modules/better-sqlite3/prebuilds/linux-${architecture}.node`)),
  );
  for (const [name, code] of threads) add(`threads/${name}`, Buffer.from(code));
  return { main, archive: packArchive(files), components };
};
