import { createHash } from "node:crypto";

/**
 * Files in one block of bytes, as the single binary holds them:
 *
 *   magic "OHMW" · length of the header, uint32 LE · header, JSON {path: [offset, length, SHA-256]} · contents
 *
 * Offsets count from the end of the header. The same files give the same bytes, in whatever order they come.
 */
const magic = "OHMW";

type Header = Readonly<Record<string, readonly [offset: number, length: number, sha256: string]>>;

/** Lay files out as an archive. */
export const packArchive = (files: ReadonlyMap<string, Uint8Array>): Buffer => {
  const names = [...files.keys()].sort();
  const header: Record<string, [number, number, string]> = {};
  let offset = 0;
  for (const name of names) {
    const bytes = files.get(name)!;
    header[name] = [offset, bytes.length, sha256Of(bytes)];
    offset += bytes.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const front = Buffer.alloc(8);
  front.write(magic, "latin1");
  front.writeUInt32LE(text.length, 4);
  return Buffer.concat([front, text, ...names.map((name) => files.get(name)!)]);
};

/** An archive that is read in place. */
export class Archive {
  readonly #header: Header;
  readonly #contents: Buffer;

  /** @throws Error where the bytes are no archive */
  constructor(bytes: Buffer) {
    const length = bytes.length < 8 ? 0 : bytes.readUInt32LE(4);
    if (bytes.subarray(0, 4).toString("latin1") !== magic || bytes.length < 8 + length) {
      throw new Error(
        `archive: expected ${magic} and a header, got ${bytes.subarray(0, 4).toString("hex") || "nothing"}`,
      );
    }
    this.#header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")) as Header;
    this.#contents = bytes.subarray(8 + length);
  }

  /** Paths of all files, in order. */
  get paths(): readonly string[] {
    return Object.keys(this.#header);
  }

  has(path: string): boolean {
    return Object.hasOwn(this.#header, path);
  }

  /** SHA-256 of a file when it was packed, hexadecimal. */
  sha256(path: string): string {
    return this.#entry(path)[2];
  }

  /** Content of a file, a view: not to be written to. @throws where there is none (`ENOENT`) or it is not what was packed */
  read(path: string): Buffer {
    const [offset, length, sha256] = this.#entry(path);
    const bytes = this.#contents.subarray(offset, offset + length);
    const got = sha256Of(bytes);
    if (got !== sha256) throw new Error(`${path}: expected the file with SHA-256 ${sha256} in the binary, got ${got}`);
    return bytes;
  }

  #entry(path: string): Header[string] {
    if (this.has(path)) return this.#header[path]!;
    throw Object.assign(new Error(`${path}: expected a file of the program, got none of that name`), {
      code: "ENOENT",
    });
  }
}

/** SHA-256, hexadecimal. */
export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
