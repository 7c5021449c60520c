import { readFileSync } from "node:fs";

/** Where the values of variables come from. */
export interface VariableSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gives a file's text. @throws when it cannot be read */
  readonly readFile: (path: string) => string;
  /** Settings from the command line, `mqtt.url=…`; they win. */
  readonly flags?: readonly string[];
}

/** The process's own environment and disk. */
export const processVariables: VariableSource = {
  environment: process.env,
  readFile: (path) => readFileSync(path, "utf8"),
};

/** A text with its variables replaced, or what is wrong with it. */
export type Substituted =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly expected: string; readonly got: string };

const pattern = /\$\{([^}]*)\}/g;

/**
 * Replace `${VAR}`, `${VAR:-default}` and `${file:/path}` (first line of the file) in a text.
 * A variable that is not set, or a file that cannot be read, is a mistake, never an empty text.
 */
export const substitute = (text: string, { environment, readFile }: VariableSource): Substituted => {
  let mistake: Substituted | undefined;
  const fail = (expected: string, got: string): string => {
    mistake ??= { ok: false, expected, got };
    return "";
  };
  const result = text.replace(pattern, (whole, body: string) => {
    if (body.startsWith("file:")) {
      try {
        return readFile(body.slice(5)).split(/\r?\n/, 1)[0]!;
      } catch {
        return fail(`a readable file ${body.slice(5)}`, `${whole}, which cannot be read`);
      }
    }
    const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax, quoted to the user
    if (parts === null) return fail("${NAME}, ${NAME:-default} or ${file:/path}", whole);
    const value = environment[parts[1]!] || parts[2];
    return value ?? fail(`the environment variable ${parts[1]} to be set`, `${whole} and no such variable`);
  });
  return mistake ?? { ok: true, text: result };
};
