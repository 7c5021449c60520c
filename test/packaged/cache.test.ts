import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Of } from "../../agent/packaged/archive.ts";
import { closeDatabase, openDatabase } from "../../agent/store/database.ts";
import { hasProgram, ownBinary, packaged, plainEnvironment, runWords } from "../support/packaged.ts";

const isRoot = process.geteuid!() === 0;

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-cache-"));
  home = join(folder, "home");
  mkdirSync(home);
  closeDatabase(openDatabase(join(folder, "a.sqlite")));
  chmodSync(folder, 0o755);
});
/** The quickest command that opens a database. */
const command = (): string[] => [ownBinary, "anomalies", "list", "--json", "--database", join(folder, "a.sqlite")];
const done = { code: 0, stdout: "", stderr: "" };
afterEach(() => {
  chmodSync(home, 0o755);
  rmSync(folder, { recursive: true });
});
const cacheOf = (): string => join(home, ".cache/ohmwatch");
const addonOf = (): string => join(cacheOf(), readdirSync(cacheOf())[0]!);
const usesNodesOwn = /^better-sqlite3: .+\. The SQLite of Node is used instead\.\n$/;

describe.skipIf(packaged === undefined)("The cache of the binary (skipped without OHMWATCH_PACKAGED)", () => {
  it("is made private, holds the addon alone, and is used again as it is", async () => {
    const environment = plainEnvironment(home);
    expect(await runWords(command(), environment)).toEqual(done);
    expect(statSync(cacheOf()).mode & 0o777).toBe(0o700);
    expect(readdirSync(cacheOf())).toHaveLength(1);
    const first = statSync(addonOf());
    expect(await runWords(command(), environment)).toEqual(done);
    expect(statSync(addonOf()).ino).toBe(first.ino);
    expect(statSync(addonOf()).mtimeMs).toBe(first.mtimeMs);
  });

  it.each([
    ["cut short", (file: string) => truncateSync(file, 1_000_000)],
    ["emptied", (file: string) => truncateSync(file, 0)],
    [
      "changed in one byte",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    [
      "a link to another file",
      (file: string) => {
        rmSync(file);
        symlinkSync("/bin/true", file);
      },
    ],
  ])("says in a sentence that the addon was %s, and unpacks it anew", async (_, damage) => {
    const environment = plainEnvironment(home);
    await runWords(command(), environment);
    const file = addonOf();
    const sha256 = sha256Of(readFileSync(file));
    chmodSync(file, 0o700);
    damage(file);
    const { code, stderr } = await runWords(command(), environment);
    expect(stderr).toMatch(
      new RegExp(`^${file}: expected the file as it was unpacked, got \\d+ other bytes; it is unpacked anew\\n$`),
    );
    expect(code).toBe(0);
    expect(sha256Of(readFileSync(file))).toBe(sha256);
    expect(await runWords(command(), environment)).toEqual(done);
  });

  it.skipIf(!isRoot)("is not taken from another user (skipped where we cannot make such a folder)", async () => {
    mkdirSync(cacheOf(), { recursive: true });
    chownSync(cacheOf(), 65534, 65534);
    const { code, stderr } = await runWords(command(), plainEnvironment(home));
    expect(stderr).toContain(`${cacheOf()}: expected a folder of user 0, got one of user 65534`);
    expect(stderr).toMatch(usesNodesOwn);
    expect(code).toBe(0);
    expect(readdirSync(cacheOf())).toEqual([]);
  });

  it("is not used where others may write to it, or to a folder above it", async () => {
    mkdirSync(cacheOf(), { recursive: true });
    chmodSync(cacheOf(), 0o777);
    const open = await runWords(command(), plainEnvironment(home));
    expect(open.stderr).toContain(`${cacheOf()}: expected a folder that only its owner can write to, got mode 0777`);
    expect(open).toMatchObject({ code: 0, stderr: expect.stringMatching(usesNodesOwn) });
    chmodSync(cacheOf(), 0o700);
    chmodSync(home, 0o777);
    const above = await runWords(command(), plainEnvironment(home));
    expect(above.stderr).toContain(`expected no folder above that all can write to, got ${home} with mode 0777`);
    expect(above).toMatchObject({ code: 0, stderr: expect.stringMatching(usesNodesOwn) });
  });

  /** In a mount namespace of its own. */
  const mounted = (commands: string): string[] => [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    `${commands}\nexec "$0" "$@"`,
    ...command(),
  ];
  const canMount = hasProgram("unshare", "--map-root-user", "--mount", "true");

  it.skipIf(!canMount)("does without where the home is read-only (skipped without user namespaces)", async () => {
    const words = mounted(`mount --bind ${home} ${home} && mount -o remount,ro,bind ${home}`);
    const { code, stderr } = await runWords(words, plainEnvironment(home));
    expect(stderr).toContain(`${cacheOf()}: expected a folder that can be made, got EROFS`);
    expect(stderr).toMatch(usesNodesOwn);
    expect(code).toBe(0);
  });

  it.skipIf(!canMount)(
    "goes on to the state directory where the home allows no execution (skipped as above)",
    async () => {
      const state = join(folder, "state");
      mkdirSync(state);
      const words = mounted(`mount -t tmpfs -o noexec none ${home}`);
      const first = await runWords(words, plainEnvironment(home));
      expect(first.stderr).toMatch(/expected an addon that this machine can load, got .*failed to map segment/);
      expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(usesNodesOwn) });
      const second = await runWords(words, { ...plainEnvironment(home), STATE_DIRECTORY: state });
      expect(second).toEqual(done);
      expect(readdirSync(join(state, "cache"))).toHaveLength(1);
    },
  );

  it("does without a HOME: by the list of users, or by Node's SQLite for a user who is in none", async () => {
    const state = join(folder, "state");
    mkdirSync(state);
    const environment = { PATH: "/usr/bin:/bin", CACHE_DIRECTORY: state };
    expect(await runWords(command(), environment)).toEqual(done);
    expect(readdirSync(state)).toHaveLength(1);
    if (!isRoot) return;
    const { code, stderr } = await runWords(
      [ownBinary, "self-test"],
      { PATH: "/usr/bin:/bin" },
      { uid: 54321, gid: 54321 },
    );
    expect(stderr).toMatch(usesNodesOwn);
    expect(stderr).toMatch(/no HOME|can be made/);
    expect(code).toBe(0);
  });

  it("ends with 73 where the folder that OHMWATCH_CACHE names cannot be used: no other takes its place", async () => {
    for (const path of ["/proc/none/cache", "/dev/null/cache", "/usr/bin/env"]) {
      const run = [
        ownBinary,
        "replay",
        "fixtures/ecg/ecg.hea",
        "--model",
        "ecg-beats",
        "--database",
        join(folder, "a.sqlite"),
      ];
      const { code, stderr } = await runWords(run, { ...plainEnvironment(home), OHMWATCH_CACHE: path });
      expect(stderr).toMatch(new RegExp(`^OHMWATCH_CACHE: ${path}: expected a folder.*, got .+\\n$`));
      expect(code).toBe(73);
    }
  });

  it("is not needed on a glibc older than the addon wants: Node's SQLite, said in a sentence", async () => {
    // The loader's own refusal: in a copy of the binary the addon asks for a glibc that no machine has yet.
    const bytes = readFileSync(ownBinary);
    const addon = readFileSync(`node_modules/better-sqlite3/prebuilds/linux-${process.arch}.node`);
    const sha256 = sha256Of(addon);
    const at = bytes.indexOf(addon);
    expect(at).toBeGreaterThan(0);
    for (let i = addon.indexOf("GLIBC_2.34"); i >= 0; i = addon.indexOf("GLIBC_2.34", i + 1))
      addon.write("GLIBC_9.34", i);
    addon.copy(bytes, at);
    const hashAt = bytes.indexOf(sha256);
    expect(hashAt).toBeGreaterThan(0);
    bytes.write(sha256Of(addon), hashAt);
    const old = join(folder, "ohmwatch");
    writeFileSync(old, bytes, { mode: 0o755 });
    for (const more of [{}, { OHMWATCH_CACHE: join(folder, "cache") }]) {
      const { code, stderr, stdout } = await runWords([old, "self-test"], { ...plainEnvironment(home), ...more });
      expect(stderr).toMatch(/version `GLIBC_9\.34' not found/);
      expect(stderr).toMatch(usesNodesOwn);
      expect(stdout).toMatch(/ok +database/);
      expect(code).toBe(0);
    }
  });
});
