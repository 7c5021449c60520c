import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { settingsPage } from "../agent/config/settings-page.ts";

/** The import rules of docs/architecture.md, executable. Each rule says why it exists. */

const root = fileURLToPath(new URL("..", import.meta.url));

interface Source {
  readonly path: string;
  readonly text: string;
  /** Paths inside the project, relative to the root. */
  readonly inner: readonly string[];
  /** Names of packages, `node:fs` and the like. */
  readonly outer: readonly string[];
}

const sourcesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(join(root, path)).isDirectory()) return name === "assembly" ? [] : sourcesBelow(path);
    return name.endsWith(".ts") ? [path] : [];
  });

const importPattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)|\n?import\s+"([^"]+)"/g;

const sources: readonly Source[] = ["agent", "pipelines", "models"].flatMap(sourcesBelow).map((path) => {
  const text = readFileSync(join(root, path), "utf8");
  const names = [...text.matchAll(importPattern)].map((match) => (match[1] ?? match[2] ?? match[3])!);
  return {
    path,
    text,
    inner: names.filter((n) => n.startsWith(".")).map((n) => relative(root, resolve(root, dirname(path), n))),
    outer: names.filter((n) => !n.startsWith(".")),
  };
});

const packageOf = (name: string): string =>
  name.startsWith("node:")
    ? name
    : name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/");

/** `from` may import, of the project, only what begins with one of `allowed`. */
const layerRules: readonly { from: string; allowed: readonly string[]; because: string }[] = [
  {
    from: "models/crossbar/",
    allowed: ["models/crossbar/", "models/tensor.ts", "models/quantisation.ts", "models/random.ts"],
    because: "the crossbar knows no layer, so that hardware could take its place",
  },
  {
    from: "models/energy/",
    allowed: ["models/energy/", "models/crossbar/", "models/network/", "models/tensor.ts", "models/manifest.ts"],
    because: "what a chip costs follows from what it is; nothing that runs needs to know it",
  },
  { from: "models/", allowed: ["models/"], because: "numbers know neither signals nor the world" },
  {
    from: "pipelines/dsp/",
    allowed: ["pipelines/dsp/"],
    because: "signal processing is plain functions over arrays",
  },
  { from: "pipelines/", allowed: ["pipelines/", "models/"], because: "signals know no program around them" },
];

/** A package enters through these folders alone. */
const packageFolders: Readonly<Record<string, readonly string[]>> = {
  rxjs: ["pipelines/", "agent/"],
  mqtt: ["agent/mqtt/"],
  aedes: ["agent/mqtt/"],
  cbor2: ["agent/codecs/"],
  "prom-client": ["agent/http/"],
  "better-sqlite3": ["agent/store/", "agent/packaged/sqlite.ts"],
  protobufjs: ["agent/codecs/", "models/onnx/"],
  flatbuffers: ["models/tflite/"],
  "fft.js": ["pipelines/dsp/"],
  "jpeg-js": ["agent/recordings/"],
  yaml: ["agent/config/", "agent/datasets/"],
  zod: ["agent/config/", "agent/datasets/"],
  commander: ["agent/cli/", "agent/main.ts"],
  pino: ["agent/telemetry/"],
};

/** The one place where `models` may start threads. */
const threads = ["models/training/parallel.ts", "models/training/worker.ts"];

describe("the architecture", () => {
  it("has sources to check", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap((s) => s.inner).length).toBeGreaterThan(100);
  });

  for (const { from, allowed, because } of layerRules) {
    it(`lets ${from} import only ${allowed.join(", ")}: ${because}`, () => {
      const broken = sources
        .filter((s) => s.path.startsWith(from))
        .flatMap((s) => s.inner.filter((i) => !allowed.some((a) => i.startsWith(a))).map((i) => `${s.path} → ${i}`));
      expect(broken).toEqual([]);
    });
  }

  it("keeps rxjs out of pipelines/dsp and models", () => {
    const broken = sources.filter(
      (s) => /^(pipelines\/dsp|models)\//.test(s.path) && s.outer.some((o) => /^rxjs/.test(o)),
    );
    expect(broken.map((s) => s.path)).toEqual([]);
  });

  it("lets each package in through its own folders", () => {
    const broken = sources.flatMap((s) =>
      s.outer.map(packageOf).flatMap((name) => {
        if (name.startsWith("node:")) return [];
        const folders = packageFolders[name];
        if (folders === undefined) return [`${s.path} → ${name}: no folder is named for this package`];
        return folders.some((f) => s.path.startsWith(f)) ? [] : [`${s.path} → ${name}: only ${folders.join(", ")}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("keeps the world out of models and pipelines: no files, network or processes", () => {
    const broken = sources
      .filter((s) => /^(models|pipelines)\//.test(s.path) && !threads.includes(s.path))
      .flatMap((s) => s.outer.filter((o) => o.startsWith("node:")).map((o) => `${s.path} → ${o}`));
    expect(broken).toEqual([]);
  });

  it("keeps time and chance out of models and pipelines, so that a replay equals the live run", () => {
    const forbidden =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(/;
    const operators =
      /\b(?:debounceTime|throttleTime|auditTime|sampleTime|bufferTime|windowTime|delay|timeout|interval|timer)\b\s*\(/;
    const broken = sources
      .filter((s) => /^(models|pipelines)\//.test(s.path))
      .filter((s) => {
        const code = s.text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
        return forbidden.test(code) || (s.outer.some((o) => o.startsWith("rxjs")) && operators.test(code));
      });
    expect(broken.map((s) => s.path)).toEqual([]);
  });

  it("has no file over 300 lines, no barrel, no utils", () => {
    const hand = sources.filter((s) => !s.path.endsWith(".gen.ts"));
    expect(hand.filter((s) => s.text.split("\n").length > 301).map((s) => s.path)).toEqual([]);
    expect(hand.filter((s) => /(^|\/)(index|utils?)\.ts$/.test(s.path)).map((s) => s.path)).toEqual([]);
  });

  it("imports no cycle", () => {
    const byPath = new Map(sources.map((s) => [s.path, s]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
        return;
      }
      state.set(path, "open");
      for (const next of byPath.get(path)?.inner ?? []) walk(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const { path } of sources) walk(path, []);
    expect(cycles).toEqual([]);
  });

  it("says in docs/settings.md what the schema says: npm run --silent ohmwatch -- config docs > docs/settings.md", () => {
    expect(readFileSync(join(root, "docs/settings.md"), "utf8")).toBe(settingsPage());
  });
});
