import { type JsonSchema, jsonSchema } from "./schema.ts";

/** A commented configuration that holds, made from the schema: each setting with sentence, unit, range and default. */
export const exampleConfig = (): string => `# Configuration of Ohmwatch.\n${section(jsonSchema(), "")}`;

const section = (schema: JsonSchema, indent: string): string =>
  Object.entries(schema.properties ?? {})
    .map(([key, child]) => entry(key, child, indent, schema.required?.includes(key) ?? false))
    .join("");

const entry = (key: string, schema: JsonSchema, indent: string, required: boolean): string => {
  const comment = describe(schema)
    .map((line) => `${indent}# ${line}\n`)
    .join("");
  if (schema.properties !== undefined) {
    const body = section(schema, `${indent}  `);
    if (required || schema.default !== undefined) return `${comment}${indent}${key}:\n${body}`;
    // Its being there turns something on.
    const head = schema.required === undefined ? `${key}: {}` : `${key}:`;
    return `${comment}${indent}${head}\n${body}`.replace(/^(?=.)/gm, "# ");
  }
  if (schema.items?.properties !== undefined && required) {
    const body = section(schema.items, `${indent}    `);
    return `${comment}${indent}${key}:\n${indent}  -${body.slice(indent.length + 3)}`;
  }
  const value = JSON.stringify(schema.examples?.[0] ?? schema.default ?? null);
  // What is not needed is shown as a comment, so that the file works as it is.
  return required ? `${comment}${indent}${key}: ${value}\n` : `${comment}${indent}# ${key}: ${value}\n`;
};

const describe = (schema: JsonSchema): string[] => {
  if (schema.description === undefined) return [];
  const facts = factsOf(schema);
  if (schema.default !== undefined) facts.push(`default ${JSON.stringify(schema.default)}`);
  return [`${schema.description}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}`];
};

/** What a setting takes: unit, range, values. */
export const factsOf = (schema: JsonSchema): string[] =>
  [
    schema.unit,
    schema.minimum === undefined ? undefined : `${schema.minimum} … ${schema.maximum ?? "∞"}`,
    schema.enum?.map(String).join(" | "),
  ].filter((fact) => fact !== undefined);
