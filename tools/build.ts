import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { bundleProgram } from "./bundle.ts";

/**
 * Bundle the program into `dist/agent/ohmwatch.mjs`, with the modules of its threads beside it. Models and fixtures lie
 * in `dist/` as in the project: `agent/program-files.ts` relies on it.
 */
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/agent", { recursive: true });
const { main, threads } = await bundleProgram({ kind: "dist" });
writeFileSync("dist/agent/ohmwatch.mjs", main);
for (const [name, code] of threads) writeFileSync(`dist/agent/${name}`, code);
cpSync("models/zoo", "dist/models/zoo", { recursive: true });
cpSync("fixtures", "dist/fixtures", { recursive: true });
cpSync("package.json", "dist/package.json");
