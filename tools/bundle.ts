import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** The project's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** What a bundle is made for: `dist/`, or the single binary, where some modules of ours stand in for others. */
export interface BundleTarget {
  readonly kind: "dist" | "binary";
}

/** Code of the program in a few files: the main one, and one for each module that is started or imported by URL. */
export interface Bundles {
  readonly main: string;
  /** By name, as `models-training-worker.mjs`. */
  readonly threads: ReadonlyMap<string, string>;
  /** Folders of the npm packages whose code is inside, from the root, in order. */
  readonly packages: readonly string[];
}

/**
 * Bundle the program. A module that the sources name by `new URL("./file.ts", import.meta.url)` (a worker, a module to
 * import later) becomes a bundle of its own: whoever adds one has nothing else to do.
 *
 * @throws where esbuild has so much as a warning, or `import.meta.url` is used in another way
 */
export const bundleProgram = async ({ kind }: BundleTarget): Promise<Bundles> => {
  const found: string[] = [];
  const packages = new Set<string>();
  const make = async (entry: string, isMain: boolean): Promise<string> => {
    const format = isMain && kind === "binary" ? "cjs" : "esm";
    const plugins = [threadsByUrl(kind, (path) => !found.includes(path) && found.push(path))];
    if (kind === "binary") plugins.push(standIns);
    const { outputFiles, warnings, metafile } = await build({
      ...common(kind),
      banner: { js: format === "esm" ? requireBanner : binaryBanner },
      format,
      plugins,
      entryPoints: [entry],
      write: false,
      metafile: true,
    });
    for (const { inputs } of Object.values(metafile!.outputs)) {
      for (const path of Object.keys(inputs)) {
        const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
        if (folder !== undefined) packages.add(folder);
      }
    }
    if (warnings.length > 0) throw new Error(`${entry}: ${warnings.map(({ text }) => text).join("; ")}`);
    return outputFiles![0]!.text;
  };
  const main = await make("agent/main.ts", true);
  const threads = new Map<string, string>();
  // Grows while we walk: a thread may start others.
  for (const path of found) threads.set(threadName(path), await make(path, false));
  return { main, threads, packages: [...packages].sort() };
};

const common = (kind: BundleTarget["kind"]): BuildOptions => ({
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node24",
  minify: kind === "binary",
  minifyWhitespace: true,
  keepNames: kind === "binary", // the names of errors and functions are part of what we print
  legalComments: "none",
  external: kind === "dist" ? ["better-sqlite3"] : [],
  logLevel: "error",
});

/** Packages in CommonJS ask for `require`, which a module does not have. */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(process.execPath);';

/** Of packages in `node_modules` Node does not say what is deprecated; bundled, they look like code of ours. */
const binaryBanner = "process.noDeprecation = true;";

const threadName = (path: string): string => path.replaceAll("/", "-").replace(/\.ts$/, ".mjs");

const byUrl = /new URL\("(\.{1,2}\/[\w./-]+\.ts)", import\.meta\.url\)/g;

/** Put in place of each module by URL what gives it in the bundle, and say its path from the root. */
const threadsByUrl = (kind: BundleTarget["kind"], onFound: (path: string) => void): Plugin => ({
  name: "threads-by-url",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const text = readFileSync(path, "utf8");
      let isUsed = false;
      const contents = text.replace(byUrl, (_, file: string) => {
        const inner = relative(root, resolve(dirname(path), file));
        onFound(inner);
        isUsed = true;
        const name = JSON.stringify(threadName(inner));
        return kind === "dist" ? `new URL("./" + ${name}, import.meta.url)` : `__programModule(${name})`;
      });
      if (!isUsed) return { contents, loader: "ts" };
      const module = JSON.stringify(resolve(root, "agent/packaged/program-files.ts"));
      const front = kind === "dist" ? "" : `import { programModule as __programModule } from ${module};`;
      return { contents: front + contents, loader: "ts" };
    });
  },
});

/** What the single binary has in place of a module of the checkout. */
const standIns: Plugin = {
  name: "stand-ins",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/program-files\.ts$/ }, ({ path, resolveDir }) =>
      resolve(resolveDir, path) === resolve(root, "agent/program-files.ts")
        ? { path: resolve(root, "agent/packaged/program-files.ts") }
        : undefined,
    );
    onResolve({ filter: /^better-sqlite3$/ }, ({ importer }) =>
      importer.startsWith(resolve(root, "agent/packaged/"))
        ? undefined
        : { path: resolve(root, "agent/packaged/sqlite.ts") },
    );
  },
};
