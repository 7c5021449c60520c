import { readFileSync } from "node:fs";
import { type Document, isMap, isScalar, LineCounter, type Node, parse, parseDocument, Scalar, visit } from "yaml";
import type { z } from "zod";
import { ConfigError, expectation, type Mistake, nearest, type Path, schemaAt, show } from "./mistakes.ts";
import { override } from "./overrides.ts";
import { type Config, configSchema, type JsonSchema, jsonSchema } from "./schema.ts";
import { processVariables, substitute, type VariableSource } from "./variables.ts";

/** Names that only the composed agent knows. */
export interface KnownNames {
  readonly codecs: readonly string[];
  readonly devices: readonly string[];
}

/**
 * Read a configuration file. Precedence: environment (`OHMWATCH__…`) over file over defaults.
 * @throws ConfigError with all mistakes at once
 */
export const loadConfig = (file: string, known: KnownNames, variables: VariableSource = processVariables): Config => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError([{ where: file, path: [], expected: "a readable configuration file", got }]);
  }
  return parseConfig(text, file, known, variables);
};

/** The same from a text; `file` is the name in the messages. @throws ConfigError with all mistakes at once */
export const parseConfig = (
  text: string,
  file: string,
  known: KnownNames,
  variables: VariableSource = processVariables,
): Config => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineOf = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ pos, message }) => ({
        where: lineOf(pos[0]),
        path: [],
        expected: "YAML",
        got: message.replaceAll("\n", " "),
      })),
    );
  }
  const schema = jsonSchema();
  const mistakes: Mistake[] = fillVariables(document, lineOf, variables);
  const overridden = override(withoutEmpty(document.toJS()), schema, variables.environment);
  mistakes.push(...overridden.mistakes);
  const where = (path: Path): string => overridden.setBy.get(path.join(".")) ?? lineOf(offsetOf(document, path));
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

const fillVariables = (
  document: Document,
  lineOf: (offset: number) => string,
  variables: VariableSource,
): Mistake[] => {
  const mistakes: Mistake[] = [];
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      const result = substitute(node.value, variables);
      if (result.ok) {
        node.value = node.type === Scalar.PLAIN ? parse(result.text) : result.text;
      } else {
        const path = pathOf(ancestors as Node[], node);
        mistakes.push({ where: lineOf(node.range?.[0] ?? 0), path, expected: result.expected, got: result.got });
      }
    },
  });
  return mistakes;
};

const pathOf = (ancestors: readonly unknown[], node: Node): Path => {
  const chain = [...ancestors, node];
  return chain.flatMap((ancestor, i): (string | number)[] => {
    const child = chain[i + 1];
    if (child === undefined) return [];
    if (isMap(ancestor)) return [String((child as { key: unknown }).key)];
    const items = (ancestor as { items?: readonly unknown[] }).items;
    return Array.isArray(items) ? [items.indexOf(child)] : [];
  });
};

const offsetOf = (document: Document, path: Path): number => {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const key = path[depth - 1]!;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair !== undefined) return (pair.key as Scalar).range?.[0] ?? 0;
    } else {
      const node = document.getIn(path.slice(0, depth), true) as Node | undefined;
      if (node?.range) return node.range[0];
    }
  }
  return 0;
};

/** A section left empty (`mqtt:` with nothing below it) is one that is not there. */
const withoutEmpty = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutEmpty(inner)]])),
  );
};

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
  const mistake = { where: where(path), path, expected: expectation(at), got: show(valueAt(data, path)) };
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
  return mistakes;
};
