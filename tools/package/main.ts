import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../bundle.ts";
import { pkgBinary, seaBinary } from "./binary.ts";
import { type Architecture, architectures } from "./node-base.ts";
import { programFor } from "./program.ts";

/**
 * `npm run package`: the program as one file for each architecture. With `--sea` by Node's own means, as a control.
 */
const { values } = parseArgs({
  options: {
    sea: { type: "boolean", default: false },
    arch: { type: "string", multiple: true, default: [...architectures] },
    out: { type: "string", default: join(root, "out") },
  },
});

const out = values.sea ? join(values.out, "sea") : values.out;
mkdirSync(out, { recursive: true });
for (const architecture of values.arch as Architecture[]) {
  const parts = await programFor(architecture);
  const file = join(out, `ohmwatch-linux-${architecture}`);
  const make = values.sea ? seaBinary : pkgBinary;
  await make({
    architecture,
    parts,
    out: file,
    work: join(out, `.work-${architecture}`),
    bases: join(root, "out/.bases"),
  });
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  process.stdout.write(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB  ${sha256}\n`);
}
