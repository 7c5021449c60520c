import type { z } from "zod";
import { readDocument } from "./document.ts";
import { type ConfigText, layered, readTexts } from "./layers.ts";
import { ConfigError, expectation, type Mistake, nearest, type Path, schemaAt, show } from "./mistakes.ts";
import { override } from "./overrides.ts";
import { type Config, configSchema, type JsonSchema, jsonSchema } from "./schema.ts";
import { topicOfStreams } from "./temperature-topic.ts";
import { processVariables, type VariableSource } from "./variables.ts";

/** Names that only the composed agent knows. */
export interface KnownNames {
  readonly codecs: readonly string[];
  readonly devices: readonly string[];
}

/**
 * Read a configuration. Precedence: flags (`--set`) over environment (`OHMWATCH__…`) over the files of `conf.d` beside
 * the file over the file over defaults.
 *
 * @throws ConfigError with all mistakes at once
 */
export const loadConfig = (file: string, known: KnownNames, variables: VariableSource = processVariables): Config =>
  parseTexts(readTexts(file), known, variables);

/** The same from a text; `file` is the name in the messages. @throws ConfigError with all mistakes at once */
export const parseConfig = (
  text: string,
  file: string,
  known: KnownNames,
  variables: VariableSource = processVariables,
): Config => parseTexts([{ file, text }], known, variables);

const parseTexts = (texts: readonly ConfigText[], known: KnownNames, variables: VariableSource): Config => {
  const documents = texts.map(({ text, file }) => readDocument(text, file, variables));
  const schema = jsonSchema();
  const mistakes: Mistake[] = documents.flatMap((document) => document.mistakes);
  const files = layered(documents);
  const overridden = override(files.data, schema, variables);
  mistakes.push(...overridden.mistakes);
  const where = (path: Path): string => overridden.setBy.get(path.join(".")) ?? files.where(path);
  const seen = new Set(mistakes.map(({ path }) => path.join(".")));
  const parsed = configSchema.safeParse(overridden.data);
  const found = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => fromIssue(issue, overridden.data, schema, where))),
    ...namesThatDoNotFit(overridden.data, known, where),
  ];
  mistakes.push(...found.filter(({ path }) => !seen.has(path.join("."))));
  if (mistakes.length > 0 || !parsed.success) throw new ConfigError(mistakes.sort(byPlace));
  return parsed.data;
};

const byPlace = (a: Mistake, b: Mistake): number => a.where.localeCompare(b.where, "en", { numeric: true });

const valueAt = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], data);

const fromIssue = (
  issue: z.core.$ZodIssue,
  data: unknown,
  schema: JsonSchema,
  where: (path: Path) => string,
): Mistake[] => {
  const path = issue.path as Path;
  const at = schemaAt(schema, path);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(at?.properties ?? {});
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const got = `the unknown key ${key}${near === undefined ? "" : `, did you mean ${near}?`}`;
      const whole = [...path, key];
      return { where: where(whole), path: whole, expected: `one of ${known.join(", ")}`, got };
    });
  }
  const example = at?.examples?.[0];
  const mistake = {
    where: where(path),
    path,
    expected: issue.code === "custom" ? issue.message : expectation(at),
    got: show(valueAt(data, path)),
  };
  return [example === undefined ? mistake : { ...mistake, example }];
};

const namesThatDoNotFit = (data: unknown, known: KnownNames, where: (path: Path) => string): Mistake[] => {
  const mistakes: Mistake[] = [];
  const oneOf = (path: Path, names: readonly string[]): void => {
    const value = valueAt(data, path);
    if (typeof value !== "string" || names.includes(value)) return;
    const near = nearest(value, names);
    const got = `${show(value)}${near === undefined ? "" : `, did you mean ${near}?`}`;
    mistakes.push({ where: where(path), path, expected: `one of ${names.join(", ")}`, got, example: names[0] });
  };
  oneOf(["chip", "device"], known.devices);
  oneOf(["chip", "temperature", "codec"], known.codecs);
  const streams = valueAt(data, ["streams"]);
  if (!Array.isArray(streams)) return mistakes;
  const first = new Map<unknown, number>();
  streams.forEach((_, i) => {
    oneOf(["streams", i, "codec"], known.codecs);
    const path = ["streams", i, "name"];
    const name = valueAt(data, path);
    const earlier = first.get(name);
    if (name !== undefined && earlier !== undefined) {
      const got = `${show(name)}, which streams.${earlier} has already`;
      mistakes.push({ where: where(path), path, expected: "a name of its own for each stream", got });
    }
    first.set(name, earlier ?? i);
  });
  const names = [...first.keys()].filter((name) => typeof name === "string");
  const tests = valueAt(data, ["tests"]);
  if (Array.isArray(tests)) for (const i of tests.keys()) oneOf(["tests", i, "stream"], names);
  oneOf(["chip", "temperature", "stream"], names);
  mistakes.push(...topicOfStreams(data, where));
  return mistakes;
};
