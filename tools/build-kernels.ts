/**
 * Compile each AssemblyScript kernel, `models/crossbar/kernels/assembly/NAME.ts` whose first line is `// kernel`,
 * to `models/crossbar/kernels/NAME.wasm.gen.ts`: WebAssembly in base64, so that it travels inside one bundle.
 * Other files of the folder are parts that kernels import.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const kernels = fileURLToPath(new URL("../models/crossbar/kernels", import.meta.url));
const assembly = join(kernels, "assembly");

/** SHA-256 over the sources of one kernel; stands in its generated file, so that a test sees a stale one. */
export const sourcesDigest = (name: string): string => {
  const hash = createHash("sha256");
  for (const file of sourcesOf(`${name}.ts`)) hash.update(`${file}\n${readFileSync(join(assembly, file), "utf8")}`);
  return hash.digest("hex");
};

/** Names of the kernels, without ".ts". */
export const kernelNames = (): string[] =>
  readdirSync(assembly)
    .filter((file) => file.endsWith(".ts") && readFileSync(join(assembly, file), "utf8").startsWith("// kernel\n"))
    .map((file) => basename(file, ".ts"))
    .sort();

/** A file and those it imports, in the order of first import. */
const sourcesOf = (file: string): string[] => {
  const imports = readFileSync(join(assembly, file), "utf8").matchAll(/^import .* from "\.\/([\w-]+)";$/gm);
  return [...new Set([file, ...[...imports].flatMap(([, name]) => sourcesOf(`${name}.ts`))])];
};

const compile = async (name: string): Promise<Uint8Array> => {
  const { default: asc } = await import("assemblyscript/asc"); // not where only digests are asked
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      `${name}.ts`,
      ...["--outFile", `${name}.wasm`],
      ...["-O3", "--converge", "--noAssert", "--runtime", "stub", "--use", "abort="],
      ...["--enable", "simd", "--importMemory", "--noExportMemory"],
    ],
    {
      readFile: (file) => {
        try {
          return readFileSync(join(assembly, file), "utf8");
        } catch {
          return null; // how asc asks whether a file exists
        }
      },
      writeFile: (file, contents) => {
        if (file.endsWith(".wasm")) wasm = contents as unknown as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !wasm)
    throw new Error(`${name}: expected it to compile, got ${stderr.toString()}${error?.message ?? ""}`);
  return wasm;
};

/** Static data of a module would lie at addresses that the arena gives away. */
const refuseStaticData = (name: string, wasm: Uint8Array): void => {
  for (let at = 8; at < wasm.length; ) {
    const section = wasm[at++]!;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++]!;
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (section === 11) throw new Error(`${name}: expected no static data, got a data section of ${size} bytes`);
    at += size;
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of kernelNames()) {
    const wasm = await compile(name);
    refuseStaticData(name, wasm);
    const identifier = `${name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}Wasm`;
    writeFileSync(
      join(kernels, `${name}.wasm.gen.ts`),
      `// Made from assembly/${name}.ts by "npm run kernels"; do not edit. Sources: ${sourcesDigest(name)}\n` +
        `export const ${identifier} =\n  "${Buffer.from(wasm).toString("base64")}";\n`,
    );
    console.log(`${name}.wasm.gen.ts: ${wasm.length} bytes`);
  }
}
