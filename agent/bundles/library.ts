import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config/schema.ts";
import type { OpenModel } from "../streams.ts";
import type { Bundle } from "./bundle.ts";

/** Name of the file that says which model counts. */
const currentName = "current";

/**
 * The models that were installed, `{state.directory}/models/NAME/VERSION-SHA.onnx`, with `current` beside them, which
 * names the one that counts. Each file is written whole under another name, brought to the disk and renamed: whenever the
 * power goes, the old or the new is there.
 */
export class Library {
  readonly #folder: string;

  constructor(config: { readonly state: Pick<Config["state"], "directory"> }) {
    this.#folder = join(config.state.directory, "models");
  }

  /** File of the model that counts under a name, where one was installed. */
  current(name: string): string | undefined {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) return undefined;
    try {
      const file = join(this.#folder, name, readFileSync(join(this.#folder, name, currentName), "utf8").trim());
      return existsSync(file) ? file : undefined;
    } catch {
      return undefined;
    }
  }

  /** Lay a model down; it does not count yet. @returns its file */
  add({ name, version, sha256, model }: Bundle): string {
    const file = join(this.#folder, name, `${version}-${sha256.slice(0, 8)}.onnx`);
    writeWhole(file, model);
    return file;
  }

  /** Let a file that was added count from now on, and forget the others but the one before. */
  use(name: string, file: string): void {
    const before = this.current(name);
    const folder = join(this.#folder, name);
    writeWhole(join(folder, currentName), new TextEncoder().encode(`${file.slice(folder.length + 1)}\n`));
    for (const other of readdirSync(folder).map((entry) => join(folder, entry))) {
      if (other.endsWith(".onnx") && other !== file && other !== before) rmSync(other);
    }
  }

  /** Take a file away that never came to count. */
  drop(name: string, file: string): void {
    if (this.current(name) !== file) rmSync(file, { force: true });
  }

  /** Opens installed models by name before those that came with the program. */
  readonly opening =
    (openModel: OpenModel): OpenModel =>
    (name, chip) =>
      openModel(this.current(name) ?? name, chip);
}

const writeWhole = (file: string, bytes: Uint8Array): void => {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, "w", 0o644);
  try {
    writeSync(descriptor, bytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};
