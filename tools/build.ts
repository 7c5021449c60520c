import { cpSync, mkdirSync, rmSync } from "node:fs";
import { type BuildOptions, build } from "esbuild";

/**
 * Bundle the program into `dist/agent/ohmwatch.mjs`, with the trainer's worker beside it. Models and fixtures lie in
 * `dist/` as in the project: `agent/program-files.ts` relies on it.
 */
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist", { recursive: true });
const common: BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  external: ["better-sqlite3"],
  // Packages in CommonJS ask for `require`, which a module does not have.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
};
await build({ ...common, entryPoints: ["agent/main.ts"], outfile: "dist/agent/ohmwatch.mjs" });
await build({ ...common, entryPoints: ["models/training/worker.ts"], outfile: "dist/agent/training-worker.mjs" });
for (const name of ["augment-digits", "augment-keywords"]) {
  await build({ ...common, entryPoints: [`agent/datasets/${name}.ts`], outfile: `dist/agent/${name}.ts` });
}
cpSync("models/zoo", "dist/models/zoo", { recursive: true });
cpSync("fixtures", "dist/fixtures", { recursive: true });
cpSync("package.json", "dist/package.json");
