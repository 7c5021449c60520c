import { parse } from "yaml";
import type { Mistake, Path } from "./mistakes.ts";
import { nearest } from "./mistakes.ts";
import type { JsonSchema } from "./schema.ts";

const prefix = "OHMWATCH__";

/** What the environment changes: new data, and which variable set which path. */
export interface Overridden {
  readonly data: unknown;
  readonly setBy: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

/**
 * Lay settings from the environment over those of a file: `OHMWATCH__MQTT__URL` sets `mqtt.url`,
 * `OHMWATCH__STREAMS__0__TOPIC` the topic of the first stream. Case and single underscores do not count
 * (`AGE_SECONDS` is `ageSeconds`); values are read as YAML. `data` is not changed.
 */
export const override = (
  data: unknown,
  schema: JsonSchema,
  environment: Readonly<Record<string, string | undefined>>,
): Overridden => {
  const result = structuredClone(data ?? {});
  const setBy = new Map<string, string>();
  const mistakes: Mistake[] = [];
  for (const [variable, value] of Object.entries(environment).sort()) {
    if (!variable.startsWith(prefix) || value === undefined) continue;
    const found = resolve(variable.slice(prefix.length).split("__"), schema);
    if ("unknown" in found) {
      const near = nearest(found.unknown, found.known);
      const got = `${found.unknown}${near === undefined ? "" : `, did you mean ${near}?`}`;
      mistakes.push({ where: variable, path: found.path, expected: `one of ${found.known.join(", ")}`, got });
      continue;
    }
    assign(result, found.path, read(value));
    setBy.set(found.path.join("."), variable);
  }
  return { data: result, setBy, mistakes };
};

const plain = (key: string): string => key.replaceAll("_", "").toLowerCase();

const resolve = (
  words: readonly string[],
  root: JsonSchema,
): { path: Path } | { path: Path; unknown: string; known: readonly string[] } => {
  const path: (string | number)[] = [];
  let schema: JsonSchema | undefined = root;
  for (const word of words) {
    if (schema?.items !== undefined && /^\d+$/.test(word)) {
      path.push(Number(word));
      schema = schema.items;
      continue;
    }
    const known: string[] = Object.keys(schema?.properties ?? {});
    const key: string | undefined = known.find((candidate) => plain(candidate) === plain(word));
    if (key === undefined) return { path, unknown: word, known: known.length > 0 ? known : ["a number"] };
    path.push(key);
    schema = schema?.properties?.[key];
  }
  return { path };
};

const read = (value: string): unknown => {
  try {
    return parse(value);
  } catch {
    return value;
  }
};

const assign = (root: unknown, path: Path, value: unknown): void => {
  let at = root as Record<string | number, unknown>;
  path.slice(0, -1).forEach((key, i) => {
    if (typeof at[key] !== "object" || at[key] === null) at[key] = typeof path[i + 1] === "number" ? [] : {};
    at = at[key] as Record<string | number, unknown>;
  });
  at[path.at(-1)!] = value;
};
