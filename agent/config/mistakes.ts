import type { JsonSchema } from "./schema.ts";

/** Where a setting lies: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** One mistake in a configuration. */
export interface Mistake {
  /** `file:line`, or the environment variable. */
  readonly where: string;
  readonly path: Path;
  readonly expected: string;
  readonly got: string;
  readonly example?: unknown;
}

/** A configuration that does not hold. The message has one line a mistake; the exit code is 78. */
export class ConfigError extends Error {
  readonly exitCode = 78;
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(describe).join("\n"));
    this.name = "ConfigError";
    this.mistakes = mistakes;
  }
}

/** `hall.yaml:7 streams.0.codec: expected …, got …, e.g. …` */
const describe = ({ where, path, expected, got, example }: Mistake): string => {
  const hint = example === undefined ? "" : `, e.g. ${show(example)}`;
  return `${where} ${path.join(".") || "(root)"}: expected ${expected}, got ${got}${hint}`;
};

/** A value in a sentence, cut to 60 characters. */
export const show = (value: unknown): string => {
  if (value === undefined || value === null) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};

/** The schema of the setting at a path, or undefined where there is none. */
export const schemaAt = (root: JsonSchema, path: Path): JsonSchema | undefined =>
  path.reduce<JsonSchema | undefined>(
    (schema, key) => (typeof key === "number" ? schema?.items : schema?.properties?.[key]),
    root,
  );

/** What a setting takes, in words, from its schema. */
export const expectation = (schema: JsonSchema | undefined): string => {
  if (schema === undefined) return "a known setting";
  const unit = schema.unit === undefined ? "" : ` ${schema.unit}`;
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if (schema.type === "integer") return `an integer ${range(schema)}${unit}`;
  if (schema.type === "number") return `a number ${range(schema)}${unit}`;
  if (schema.type === "array") return `a list of at least ${schema.minItems ?? 0}`;
  if (schema.type === "object") return `a section with ${Object.keys(schema.properties ?? {}).join(", ")}`;
  return schema.pattern === undefined ? "a text" : `a text like ${schema.pattern}`;
};

const range = ({ minimum, maximum }: JsonSchema): string => `${minimum ?? "−∞"} … ${maximum ?? "∞"}`;

/** The known word nearest to a mistyped one, or undefined when none is near (edit distance ≤ 1 + length / 4). */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  let best: string | undefined;
  let bestDistance = 2 + Math.floor(word.length / 4);
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
};

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
export const editDistance = (a: string, b: string): number => {
  const width = b.length + 1;
  const d = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i <= a.length; i++) d[i * width] = i;
  for (let j = 0; j <= b.length; j++) d[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replace = d[(i - 1) * width + j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(d[(i - 1) * width + j]! + 1, d[i * width + j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, d[(i - 2) * width + j - 2]! + 1);
      }
      d[i * width + j] = least;
    }
  }
  return d[d.length - 1]!;
};
