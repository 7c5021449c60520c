/**
 * Talk without keywords, for `ohmwatch false-alarms`: sentences out of the READMEs of the packages that `npm ci` installs (of
 * many authors, the same wherever package-lock.json is), but for those with one of the ten words of Speech Commands in them,
 * spoken by espeak-ng in many voices. Writes WAVs of a minute or so. What rules are chosen by is one half of sentences and
 * voices, what is reported the other.
 *
 *   node tools/talk.ts OUT [MINUTES] [report|choose]
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SequentialRandom } from "../models/random.ts";

const [out = "", minutes = "60", half = "report"] = process.argv.slice(2);
if (!out) throw new Error("arguments: expected OUT [MINUTES] [report|choose], got none");
if (half !== "report" && half !== "choose") throw new Error(`half: expected report or choose, got ${half}`);
const isOurs = (_: unknown, i: number): boolean => i % 2 === (half === "report" ? 0 : 1);

const root = fileURLToPath(new URL("..", import.meta.url));
const keywords = /\b(yes|no|up|down|left|right|on|off|stop|go)\b/i;
const plain = /^[A-Za-z][A-Za-z ,;'’“”"-]*[.:;?!]$/;
const readmes = globSync("node_modules/{*,@*/*}/README.md", { cwd: root }).sort();
const sentences = [
  ...new Set(
    readmes.flatMap((name) =>
      readFileSync(join(root, name), "utf8")
        .replace(/```[\s\S]*?```|^\|.*$|^ {4}.*$/gm, "")
        .split(/(?<=[.:;?!])\s+|\n\s*\n/)
        .map((text) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"))
        .map((text) => text.replace(/[`*_#[\]()|<>\s]+/g, " ").trim()),
    ),
  ),
]
  .filter((text) => text.split(" ").length >= 5 && plain.test(text) && !keywords.test(text))
  .filter(isOurs);
const voices = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan"]
  .flatMap((voice) => ["", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4"].map((variant) => voice + variant))
  .filter(isOurs);

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
