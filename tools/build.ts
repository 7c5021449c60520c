import { cpSync, mkdirSync, rmSync } from "node:fs";
import { type BuildOptions, build } from "esbuild";

/** Bundle the program into `dist/ohmwatch.mjs`, with the trainer's worker, the models and the fixtures beside it. */
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
await build({ ...common, entryPoints: ["agent/main.ts"], outfile: "dist/ohmwatch.mjs" });
await build({ ...common, entryPoints: ["models/training/worker.ts"], outfile: "dist/training-worker.mjs" });
await build({
  ...common,
  entryPoints: ["agent/datasets/augment-keywords.ts"],
  outfile: "dist/augment-keywords.ts",
});
cpSync("models/zoo", "dist/zoo", { recursive: true });
cpSync("fixtures", "dist/fixtures", { recursive: true });
