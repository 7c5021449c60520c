import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../../agent/version.ts";
import { root } from "../bundle.ts";
import { pkgBinary, seaBinary } from "./binary.ts";
import { debPackage } from "./deb.ts";
import { licencesText } from "./licences.ts";
import { type Architecture, architectures } from "./node-base.ts";
import { programFor } from "./program.ts";
import { sbom } from "./sbom.ts";

/**
 * `npm run package`: the program as one file for each architecture, with a Debian package, a bill of materials and sums, in
 * `out/`. `--sea` makes the binaries by Node's own means, as a control, in `out/sea/`.
 */
const { values } = parseArgs({
  options: {
    sea: { type: "boolean", default: false },
    arch: { type: "string", multiple: true, default: [...architectures] },
    out: { type: "string", default: join(root, "out") },
    "no-deb": { type: "boolean", default: false },
  },
});
const wanted = values.arch as Architecture[];
for (const architecture of wanted) {
  if (!architectures.includes(architecture)) {
    throw new Error(`--arch: expected one of ${architectures.join(", ")}, got ${architecture}`);
  }
}

/** The time of what is built: said by who builds, else the commit's. */
const epochSeconds = Number(
  process.env["SOURCE_DATE_EPOCH"] ??
    execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" }),
);

const out = values.sea ? join(values.out, "sea") : values.out;
mkdirSync(out, { recursive: true });
const sha256Of = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
const say = (file: string): void => {
  process.stdout.write(`${file.padEnd(60)} ${(statSync(file).size / 1e6).toFixed(1).padStart(6)} MB\n`);
};

for (const architecture of wanted) {
  const parts = await programFor(architecture);
  const binary = join(out, `ohmwatch-linux-${architecture}`);
  const make = values.sea ? seaBinary : pkgBinary;
  const work = join(out, `.work-${architecture}`);
  await make({ architecture, parts, out: binary, work, bases: join(root, "out/.bases") });
  say(binary);
  if (values.sea) continue;
  const { components } = parts;
  const about = { version: version(), epochSeconds };
  const subject = { ...about, file: basename(binary), sha256: sha256Of(binary), components };
  writeFileSync(`${binary}.cdx.json`, sbom(subject));
  if (values["no-deb"]) continue;
  say(await debPackage({ ...about, architecture, binary, licences: licencesText(components), out }));
}

const made = readdirSync(out).filter((name) => /^ohmwatch[-_]/.test(name));
writeFileSync(join(out, "SHA256SUMS"), made.map((name) => `${sha256Of(join(out, name))}  ${name}\n`).join(""));
