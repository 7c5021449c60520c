import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bundle.ts";

/** Architectures that we build for, as Node names them. */
export const architectures = ["x64", "arm64"] as const;
export type Architecture = (typeof architectures)[number];

/** As Debian and binutils name them. */
export const debianName = { x64: "amd64", arm64: "arm64" } as const;
const gnuName = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" } as const;

/** Version of Node that the lock file pins. */
export const nodeVersion = (): string => lockedPackage("x64").version;

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

const lockedPackage = (architecture: Architecture): Locked => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  return lock.packages[`node_modules/node-linux-${architecture}`]!;
};

/**
 * The executable of Node for an architecture, without its symbols: from `node_modules` where npm installed it there, else
 * fetched by npm and checked against the lock file. Kept in `folder`, so that a second build need not fetch.
 *
 * It is stripped here, before anything is put into it: done later it breaks what was put in.
 */
export const nodeBase = (architecture: Architecture, folder: string): string => {
  const { version } = lockedPackage(architecture);
  const base = join(folder, `node-${version}-linux-${architecture}`);
  if (existsSync(base)) return base;
  mkdirSync(folder, { recursive: true });
  const temporary = `${base}.${process.pid}`;
  copyFileSync(unstripped(architecture, folder), temporary);
  chmodSync(temporary, 0o755);
  execFileSync(toolOf("strip", architecture), [temporary]);
  renameSync(temporary, base);
  return base;
};

const unstripped = (architecture: Architecture, folder: string): string => {
  const installed = join(root, `node_modules/node-linux-${architecture}/bin/node`);
  if (existsSync(installed)) return installed;
  const { version, integrity } = lockedPackage(architecture);
  const name = `node-linux-${architecture}`;
  execFileSync("npm", ["pack", "--silent", `${name}@${version}`, "--pack-destination", folder], { stdio: "inherit" });
  const archive = join(folder, `${name}-${version}.tgz`);
  const got = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (got !== integrity) {
    rmSync(archive);
    throw new Error(`${name}: expected ${integrity} as in package-lock.json, got ${got}`);
  }
  const target = join(folder, name);
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components=1", "package/bin/node"]);
  rmSync(archive);
  return join(target, "bin/node");
};

/** A tool of binutils that understands an architecture. @throws where there is none, naming Debian's package */
const toolOf = (tool: string, architecture: Architecture): string => {
  const candidates = [`${gnuName[architecture]}-${tool}`, ...(process.arch === architecture ? [tool] : [])];
  const found = candidates.find((name) => {
    try {
      return execFileSync(name, ["--version"], { stdio: "ignore" }) === null || true;
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    const wanted = `binutils-${gnuName[architecture].replaceAll("_", "-")}`;
    throw new Error(`${tool}: expected one for ${architecture}, got none; Debian's package ${wanted} has it`);
  }
  return found;
};
