import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../../../agent/bundles/bundle.ts";
import { Library } from "../../../agent/bundles/library.ts";
import { keyPair, signed, tones } from "./signed.ts";

const { privateKey } = keyPair();
const bundleOf = (version: string) => readBundle(signed(tones({ version }), privateKey));
let directory: string;
let library: Library;
const names = () => readdirSync(join(directory, "models/tones")).sort();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ohmwatch-library-"));
  library = new Library({ state: { directory } });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("The library of installed models", () => {
  it("gives the one that was told to count, and keeps that and the one before", () => {
    expect(library.current("tones")).toBeUndefined();
    const files = ["1", "2", "3"].map((version) => {
      const file = library.add(bundleOf(version));
      library.use("tones", file);
      return file;
    });
    expect(library.current("tones")).toBe(files[2]);
    expect(names()).toEqual([...files.slice(1).map((file) => file.split("/").at(-1)), "current"].sort());
    expect(Buffer.compare(readFileSync(files[2]!), tones({ version: "3" }))).toBe(0);
  });

  it("stays with the one before whatever a crash left behind", () => {
    const first = library.add(bundleOf("1"));
    library.use("tones", first);
    // Cut off while the next was written, after it was written, and while `current` was.
    writeFileSync(join(directory, "models/tones/2-00000000.onnx.new"), tones({ version: "2" }).slice(0, 100));
    library.add(bundleOf("2"));
    writeFileSync(join(directory, "models/tones/current.new"), "2-");
    expect(new Library({ state: { directory } }).current("tones")).toBe(first);
    // A file that `current` names but that is gone, or a name from elsewhere, is none.
    rmSync(first);
    expect(library.current("tones")).toBeUndefined();
    expect(library.current("../tones")).toBeUndefined();
  });

  it("opens what was installed by its name, and anything else as it was asked for", () => {
    const asked: string[] = [];
    const open = library.opening((name) => {
      asked.push(name);
      throw new Error("opened");
    });
    const chip = {} as Parameters<typeof open>[1];
    const file = library.add(bundleOf("1"));
    expect(() => open("tones", chip)).toThrow("opened");
    library.use("tones", file);
    for (const name of ["tones", "ecg-beats", "/a/model.onnx"]) expect(() => open(name, chip)).toThrow("opened");
    expect(asked).toEqual(["tones", file, "ecg-beats", "/a/model.onnx"]);
  });
});
