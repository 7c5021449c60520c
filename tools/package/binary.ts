import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { inject } from "postject";
import { archiveName } from "../../agent/packaged/program-files.ts";
import { root } from "../bundle.ts";
import { type Architecture, nodeBase, nodeVersion } from "./node-base.ts";
import type { ProgramParts } from "./program.ts";

/** Where a binary is made, and for which machine. */
export interface BinaryJob {
  readonly architecture: Architecture;
  readonly parts: ProgramParts;
  /** The file that is made. */
  readonly out: string;
  /** Folder for what is in between; emptied. */
  readonly work: string;
  /** Folder of the Node executables. */
  readonly bases: string;
}

const mainName = "ohmwatch.cjs";

/**
 * One binary by `pkg --sea`. It takes the Node that it finds in its cache below HOME, so that is where we put ours.
 * `pkg-preload.mjs` keeps chance out of the binary, and lets it start without a home.
 */
export const pkgBinary = async ({ architecture, parts, out, work, bases }: BinaryJob): Promise<void> => {
  fresh(work);
  writeParts(work, parts);
  const description = { name: "ohmwatch", version: "0", bin: mainName, pkg: { assets: [archiveName] } };
  writeFileSync(join(work, "package.json"), JSON.stringify(description));
  const version = nodeVersion();
  const name = `node-v${version}-linux-${architecture}`;
  const cache = join(work, "home/.pkg-cache/sea");
  mkdirSync(join(cache, name, "bin"), { recursive: true });
  copyFileSync(nodeBase(architecture, bases), join(cache, name, "bin/node"));
  for (const mark of [`${name}/bin/node.ok`, `${name}.tar.gz`, `${name}.tar.gz.ok`])
    writeFileSync(join(cache, mark), "");
  const temporary = join(work, "temporary");
  mkdirSync(temporary);
  const preload = join(root, "tools/package/pkg-preload.mjs");
  const pkg = join(root, "node_modules/@yao-pkg/pkg/lib-es5/bin.js");
  const target = `node${version}-linux-${architecture}`;
  execFileSync(process.execPath, ["--import", preload, pkg, ".", "--sea", "-t", target, "-o", resolve(out)], {
    cwd: work,
    env: { ...process.env, HOME: join(work, "home"), TMPDIR: temporary },
    stdio: ["ignore", "pipe", "inherit"],
  });
  rmSync(work, { recursive: true });
};

/** The mark in Node that says whether something was put into it. In two pieces, so that this file has none. */
const sentinelFuse = ["NODE_SEA_FUSE", "fce680ab2cc467b6e072b8b5df1996b2"].join("_");

/** One binary by Node's own means: the control. The code is compiled ahead, on the machine's own kind of processor. */
export const seaBinary = async ({ architecture, parts, out, work, bases }: BinaryJob): Promise<void> => {
  fresh(work);
  writeParts(work, parts);
  const base = nodeBase(architecture, bases);
  const settings = {
    main: mainName,
    output: "sea.blob",
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    assets: { [archiveName]: archiveName },
  };
  writeFileSync(join(work, "sea.json"), JSON.stringify(settings));
  const [program, ...front] = [...(architecture === process.arch ? [] : emulatorOf[architecture]), base];
  // V8 puts a seed of its hashes into compiled code.
  execFileSync(program!, [...front, "--random-seed=1", "--experimental-sea-config", "sea.json"], { cwd: work });
  copyFileSync(base, out);
  chmodSync(out, 0o755);
  await inject(out, "NODE_SEA_BLOB", readFileSync(join(work, "sea.blob")), { sentinelFuse });
  rmSync(work, { recursive: true });
};

/** What runs programs for another processor: Debian's packages qemu-user-static, libc6-ARCH-cross, libstdc++6-ARCH-cross. */
export const emulatorOf: Readonly<Record<Architecture, readonly string[]>> = {
  arm64: ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"],
  x64: ["qemu-x86_64-static", "-L", "/usr/x86_64-linux-gnu"],
};

const fresh = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
};

const writeParts = (folder: string, { main, archive }: ProgramParts): void => {
  writeFileSync(join(folder, mainName), main);
  writeFileSync(join(folder, archiveName), archive);
};
