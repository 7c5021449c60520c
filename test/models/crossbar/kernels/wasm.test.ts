import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kernelNames, sourcesDigest } from "../../../../tools/build-kernels.ts";

describe("the WebAssembly of the kernels", () => {
  it.each(kernelNames())("%s was made from its present sources (else: npm run kernels)", (name) => {
    const made = readFileSync(
      new URL(`../../../../models/crossbar/kernels/${name}.wasm.gen.ts`, import.meta.url),
      "utf8",
    );
    expect(/Sources: (\w+)/.exec(made)?.[1]).toBe(sourcesDigest(name));
  });
});
