import { parse } from "yaml";
import type { Mistake, Path } from "./mistakes.ts";
import { nearest } from "./mistakes.ts";
import type { JsonSchema } from "./schema.ts";
import type { VariableSource } from "./variables.ts";

const prefix = "OHMWATCH__";

/** What environment and flags change: new data, and which variable or flag set which path. */
export interface Overridden {
  readonly data: unknown;
  readonly setBy: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

/**
 * Lay settings from the environment and then those of flags over those of files: `OHMWATCH__MQTT__URL` and
 * `mqtt.url=…` set `mqtt.url`, `OHMWATCH__STREAMS__0__TOPIC` the topic of the first stream. Case and single underscores
 * do not count (`AGE_SECONDS` is `ageSeconds`); values are read as YAML. `data` is not changed.
 */
export const override = (
  data: unknown,
  schema: JsonSchema,
  { environment, flags = [] }: Pick<VariableSource, "environment" | "flags">,
): Overridden => {
  // What is no section at all is left to the schema to refuse.
  if (typeof (data ?? {}) !== "object" || Array.isArray(data)) return { data, setBy: new Map(), mistakes: [] };
  const result = structuredClone(data ?? {});
  const setBy = new Map<string, string>();
  const mistakes: Mistake[] = [];
  for (const { name, words, value } of [...fromEnvironment(environment), ...flags.map(fromFlag)]) {
    const found = resolve(words, schema);
    if ("unknown" in found) {
      const near = nearest(found.unknown, found.known);
      const got = `${found.unknown || "nothing"}${near === undefined ? "" : `, did you mean ${near}?`}`;
      mistakes.push({ where: name, path: found.path, expected: `one of ${found.known.join(", ")}`, got });
    } else if (value === undefined) {
      mistakes.push({ where: name, path: found.path, expected: "a setting as key=value", got: "no value" });
    } else {
      assign(result, found.path, read(value));
      setBy.set(found.path.join("."), name);
    }
  }
  return { data: result, setBy, mistakes };
};

interface Override {
  readonly name: string;
  readonly words: readonly string[];
  readonly value: string | undefined;
}

const fromEnvironment = (environment: VariableSource["environment"]): readonly Override[] =>
  Object.entries(environment)
    .sort()
    .filter(([variable, value]) => variable.startsWith(prefix) && value !== undefined)
    .map(([variable, value]) => ({ name: variable, words: variable.slice(prefix.length).split("__"), value }));

const fromFlag = (flag: string): Override => {
  const equals = flag.indexOf("=");
  const key = equals < 0 ? flag : flag.slice(0, equals);
  return { name: `--set ${key}`, words: key.split("."), value: equals < 0 ? undefined : flag.slice(equals + 1) };
};

const plain = (key: string): string => key.replaceAll("_", "").toLowerCase();

const resolve = (
  words: readonly string[],
  root: JsonSchema,
): { path: Path } | { path: Path; unknown: string; known: readonly string[] } => {
  const path: (string | number)[] = [];
  let schema: JsonSchema | undefined = root;
  for (const word of words) {
    if (schema?.items !== undefined && /^\d{1,3}$/.test(word)) {
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
    return parse(value, { logLevel: "error" });
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
