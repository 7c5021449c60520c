import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { architectures } from "../../tools/package/node-base.ts";
import { binaryOf, foreign, packaged } from "../support/packaged.ts";

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-again-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly metadata: {
    readonly component: { readonly hashes: readonly { readonly alg: string; readonly content: string }[] };
  };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses: readonly unknown[];
  }[];
}

describe.skipIf(packaged === undefined)("What npm run package makes (skipped without OHMWATCH_PACKAGED)", () => {
  it.each(architectures)("is a binary of at most 130 MB: %s", (architecture) => {
    expect(readFileSync(binaryOf(architecture)).length).toBeLessThanOrEqual(130e6);
  });

  it("is the same to the last byte when made again: binaries, bills of materials, and a package, all made of them", () => {
    const make = (...more: readonly string[]): void =>
      void execFileSync("npm", ["run", "--silent", "package", "--", "--out", folder, ...more], {
        stdio: ["ignore", "ignore", "inherit"],
      });
    make("--arch", process.arch);
    make("--arch", foreign, "--no-deb"); // packing takes longest, and is the same work for both
    const sumsOf = (out: string): string[] => readFileSync(join(out, "SHA256SUMS"), "utf8").trim().split("\n");
    expect(sumsOf(folder)).toHaveLength(5);
    expect(sumsOf(packaged!)).toEqual(expect.arrayContaining(sumsOf(folder)));
  });

  it("has sums that sha256sum confirms", () => {
    const said = execFileSync("sha256sum", ["--check", "SHA256SUMS"], { cwd: packaged!, encoding: "utf8" });
    expect(
      said
        .trim()
        .split("\n")
        .every((line) => line.endsWith(": OK")),
    ).toBe(true);
  });

  it.each(architectures)(
    "has a bill of materials about this very binary, with versions as npm locked them: %s",
    (architecture) => {
      const bom = JSON.parse(readFileSync(`${binaryOf(architecture)}.cdx.json`, "utf8")) as Bom;
      expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.5" });
      expect(bom.serialNumber).toMatch(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(bom.metadata.component.hashes).toEqual([{ alg: "SHA-256", content: sha256Of(binaryOf(architecture)) }]);
      const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
        packages: Record<string, { version: string }>;
      };
      const locked = new Set(
        Object.entries(lock.packages).map(
          ([path, { version }]) => `pkg:npm/${path.split("node_modules/").at(-1)}@${version}`,
        ),
      );
      const ofNpm = bom.components
        .map(({ purl }) => decodeURIComponent(purl))
        .filter((purl) => purl.startsWith("pkg:npm/"));
      expect(ofNpm.filter((purl) => !locked.has(purl))).toEqual([]);
      const names = bom.components.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(["node", "sqlite", "better-sqlite3", "mqtt", "rxjs", "fft.js", "@yao-pkg/pkg"]),
      );
      for (const { licenses } of bom.components) expect(licenses).toHaveLength(1);
    },
  );

  it("leaves nothing of its making behind", () => {
    expect(readdirSync(packaged!).filter((name) => /^\.(work|deb)/.test(name))).toEqual([]);
  });
});
