import type { KnownNames } from "./load.ts";
import { type JsonSchema, jsonSchema } from "./schema.ts";

/** A value that is filled in when the file is read. */
const variable: JsonSchema = { type: "string", pattern: "\\$\\{[^}]+\\}" };

/**
 * The JSON Schema of a configuration file, for editors: that of the settings, with the names of codecs and devices, with
 * `${VARIABLES}` in place of any value, and with sections that may be left empty.
 */
export const editorSchema = (known: KnownNames): Record<string, unknown> => {
  const names: Readonly<Record<string, readonly string[]>> = {
    "streams.codec": known.codecs,
    "chip.device": known.devices,
  };
  const forFiles = (schema: JsonSchema, path: string, mayBeEmpty: boolean): Record<string, unknown> => {
    const { type, properties, items, enum: values, ...rest } = { enum: names[path], ...schema };
    if (properties !== undefined) {
      const inner = Object.entries(properties).map(([key, child]) => [
        key,
        forFiles(child, path === "" ? key : `${path}.${key}`, !schema.required?.includes(key)),
      ]);
      return { ...rest, type: orNull(type, mayBeEmpty), properties: Object.fromEntries(inner) };
    }
    if (items !== undefined) return { ...rest, type: orNull(type, mayBeEmpty), items: forFiles(items, path, false) };
    if (type === "string" && values === undefined && schema.pattern === undefined) {
      return { ...rest, type: orNull(type, mayBeEmpty) };
    }
    const { pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...said } = rest as JsonSchema & {
      exclusiveMinimum?: number;
      exclusiveMaximum?: number;
    };
    const held = { type, enum: values, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum };
    return { ...said, anyOf: [withoutUndefined(held), variable, ...(mayBeEmpty ? [{ type: "null" }] : [])] };
  };
  return { title: "Configuration of Ohmwatch", ...forFiles(jsonSchema(), "", false) };
};

const orNull = (type: string | undefined, mayBeEmpty: boolean): unknown => (mayBeEmpty ? [type, "null"] : type);

const withoutUndefined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
