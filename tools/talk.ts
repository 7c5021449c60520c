/**
 * Talk without keywords, for `ohmwatch false-alarms`: the sentences of the project's own documents, but for those with one
 * of the ten words of Speech Commands in them, spoken by espeak-ng in many voices. Writes WAVs of a minute or so.
 *
 *   node tools/talk.ts OUT [MINUTES]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SequentialRandom } from "../models/random.ts";

const [out = "", minutes = "60"] = process.argv.slice(2);
if (!out) throw new Error("arguments: expected OUT [MINUTES], got none");
const root = fileURLToPath(new URL("..", import.meta.url));
const keywords = /\b(yes|no|up|down|left|right|on|off|stop|go)\b/i;
const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const sentences = documents
  .flatMap((name) =>
    readFileSync(join(root, name), "utf8")
      .replace(/```[\s\S]*?```|^\|.*$|^ {4}.*$/gm, "")
      .split(/(?<=[.:;?!])\s+|\n\s*\n/),
  )
  .map((sentence) => sentence.replace(/[`*_#[\]()|<>]|\s+/g, " ").trim())
  .filter((sentence) => sentence.split(" ").length >= 5 && !keywords.test(sentence));
const voices = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan"].flatMap((voice) =>
  ["", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4"].map((variant) => voice + variant),
);
const random = new SequentialRandom(60);
mkdirSync(out, { recursive: true });
for (let minute = 0; minute < Number(minutes); minute++) {
  const words: string[] = [];
  while (words.length < 160) words.push(...sentences[random.integer(sentences.length)]!.split(" "));
  const voice = voices[minute % voices.length]!;
  const speed = String(140 + random.integer(60));
  const file = join(out, `talk-${String(minute).padStart(3, "0")}.wav`);
  const { status, stderr } = spawnSync("espeak-ng", ["-v", voice, "-s", speed, "-w", file], {
    input: words.join(" "),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`espeak-ng: expected exit code 0, got ${status} (${stderr})`);
}
process.stdout.write(`${sentences.length} sentences, ${voices.length} voices, ${minutes} files in ${out}\n`);
