import type { ConfigText } from "./layers.ts";
import type { VariableSource } from "./variables.ts";

/** What stands where a secret was. */
const removed = "[removed]";

/** Shorter ones would take ordinary words out of the text. */
const leastLength = 4;

/**
 * A function that takes every secret of a configuration out of the texts of a document: what variables and files gave, what the files
 * that it names (`passwordFile`, `tokenFile`, `keyFile`) hold, users and passwords in addresses, and what stands behind
 * a key that says password, token or secret, in comments too.
 */
export const withoutSecretsOf = (texts: readonly ConfigText[], variables: VariableSource): (<T>(document: T) => T) => {
  const found = new Set<string>();
  const add = (secret: string | undefined): void => {
    const plain = secret?.trim();
    if (plain === undefined || plain.length < leastLength) return;
    found.add(plain);
    // As it would stand in JSON, and in an address.
    found.add(JSON.stringify(plain).slice(1, -1));
    found.add(encodeURIComponent(plain));
  };
  const read = (file: string): string | undefined => {
    try {
      return variables.readFile(file);
    } catch {
      return undefined;
    }
  };
  for (const { text } of texts) {
    for (const [, file] of text.matchAll(/\$\{file:([^}]*)\}/g)) for (const line of linesOf(read(file!))) add(line);
    for (const [, name] of text.matchAll(/\$\{([A-Za-z_]\w*)(?::-[^}]*)?\}/g)) {
      if (saysSecret.test(name!)) add(variables.environment[name!]);
    }
    for (const [, file] of text.matchAll(/(?:password|token|key)File["']?\s*:\s*["']?([^\s"',}]+)/gi)) {
      for (const line of linesOf(read(file!))) add(line);
    }
    for (const [, user, password] of text.matchAll(addressSecrets)) {
      add(user);
      add(password);
    }
  }
  for (const [name, value] of Object.entries(variables.environment)) {
    if (saysSecret.test(name) && !/FILE$/.test(name)) add(value);
    for (const [, user, password] of (value ?? "").matchAll(addressSecrets)) {
      if (name.startsWith("OHMWATCH__")) [user, password].forEach(add);
    }
  }
  const longestFirst = [...found].sort((a, b) => b.length - a.length);
  const clean = (text: string): string =>
    longestFirst
      .reduce((rest, secret) => rest.replaceAll(secret, removed), text)
      .replace(/\/\/[^@/\s"']*@/g, `//${removed}@`)
      .replace(namedSecret, `$1${removed}`);
  const cleanAll = (value: unknown): unknown => {
    if (typeof value === "string") return clean(value);
    if (Array.isArray(value)) return value.map(cleanAll);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cleanAll(inner)]));
  };
  return <T>(document: T) => cleanAll(document) as T;
};

/** `password: …`, up to the end of the value. */
const namedSecret =
  /((?:password|passwd|token|secret|username)["']?\s*[:=]\s*)(?!["']?\[removed\])(?:"[^"\n]*"|'[^'\n]*'|[^"',}\n]+)/gi;
const saysSecret = /pass|token|secret|key|credential/i;
const addressSecrets = /\/\/([^:@/\s"']+)(?::([^@/\s"']*))?@/g;

const linesOf = (text: string | undefined): readonly string[] => (text ?? "").split(/\r?\n/);
