import { type Document, isMap, isScalar, LineCounter, type Node, parse, parseDocument, Scalar, visit } from "yaml";
import { ConfigError, type Mistake, type Path } from "./mistakes.ts";
import { substitute, type VariableSource } from "./variables.ts";

/** One file of a configuration, with its variables filled in. */
export interface ConfigDocument {
  readonly file: string;
  /** What it says; a section left empty is one that is not there. */
  readonly data: unknown;
  /** Variables that could not be filled in. */
  readonly mistakes: readonly Mistake[];
  /** `file:line` of a setting, or of the section that it is missing from. */
  where(path: Path): string;
}

/** Read one file of a configuration. @throws ConfigError where it is no YAML */
export const readDocument = (text: string, file: string, variables: VariableSource): ConfigDocument => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
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
  const mistakes = fillVariables(document, lineOf, variables);
  return {
    file,
    data: withoutEmpty(documentValue(document, file)),
    mistakes,
    where: (path) => lineOf(offsetOf(document, path)),
  };
};

/** @throws ConfigError where aliases would make of a few lines more than fits */
const documentValue = (document: Document, file: string): unknown => {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError([{ where: file, path: [], expected: "YAML", got: String(error) }]);
  }
};

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
        node.value = node.type === Scalar.PLAIN ? meaningOf(result.text) : result.text;
      } else {
        const path = pathOf(ancestors as Node[], node);
        mistakes.push({ where: lineOf(node.range?.[0] ?? 0), path, expected: result.expected, got: result.got });
      }
    },
  });
  return mistakes;
};

/** What a text means where no quotes say that it is one; one that is no YAML (a password may be anything) is itself. */
const meaningOf = (text: string): unknown => {
  try {
    return parse(text, { logLevel: "error" });
  } catch {
    return text;
  }
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
