import { factsOf } from "./example.ts";
import { type JsonSchema, jsonSchema } from "./schema.ts";

/** The page of all settings, docs/settings.md, made from the schema. */
export const settingsPage = (): string => {
  const root = jsonSchema();
  const top = Object.entries(root.properties ?? {});
  return `# Settings

Made by \`ohmwatch config docs > docs/settings.md\` from the schema; do not edit. \`ohmwatch config example\` prints a file to
start from. Where a setting is said more than once, flags (\`--set key=value\`) win over the environment
(\`OHMWATCH__SECTION__KEY\`), that over the files of \`conf.d\` beside the configuration in order of name, those over the
file. A change counts at once when the file is saved, or on SIGHUP; where *restart* is said, after the next start.
${top.map(([key, schema]) => section(key, schema)).join("")}`;
};

const section = (path: string, schema: JsonSchema): string => {
  const list = schema.items?.properties !== undefined;
  const { properties = {}, required } = (list ? schema.items : schema) ?? {};
  const entries = Object.entries(properties);
  const isSection = (child: JsonSchema): boolean =>
    child.properties !== undefined || child.items?.properties !== undefined;
  const plain = entries.filter(([, child]) => !isSection(child));
  const nested = entries.filter(([, child]) => isSection(child));
  const rows = plain.map(([key, child]) => row(key, child, required?.includes(key) ?? false)).join("");
  const sentence = schema.description === undefined ? "" : `${schema.description} `;
  const about = `${sentence}${list ? "A list; each entry has:" : ""}`.trim();
  return `
## ${path}
${about === "" ? "" : `\n${about}\n`}
| setting | takes | default | |
|---|---|---|---|
${rows}${nested.map(([key, child]) => section(`${path}.${key}`, child)).join("")}`;
};

const row = (key: string, schema: JsonSchema, isRequired: boolean): string => {
  const given = isRequired ? "**needed**" : schema.default === undefined ? "" : code(schema.default);
  const restart = schema.requiresRestart === true ? " *restart*" : "";
  const example = schema.examples?.[0];
  const hint = example === undefined || Array.isArray(example) ? "" : `, e.g. ${code(example)}`;
  const facts = factsOf(schema).join("; ") || typeWords[schema.type ?? ""] || "";
  return `| \`${key}\` | ${cell(facts)}${hint} | ${given} | ${cell(schema.description ?? "")}${restart} |\n`;
};

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "number",
  integer: "integer",
  array: "list",
  boolean: "true | false",
};

const code = (value: unknown): string => `\`${cell(typeof value === "string" ? value : JSON.stringify(value))}\``;

/** Text that ends no cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|");
