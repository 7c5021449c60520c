import { isDeepStrictEqual } from "node:util";
import { type Config, type JsonSchema, jsonSchema } from "./schema.ts";

/** What a reload can change, and what it cannot. */
export interface Applicable {
  /** The configuration as it is wanted, with what needs a restart as it is now. */
  readonly config: Config;
  /** Paths of the settings that differ but need a restart, in the order of the schema. */
  readonly needRestart: readonly string[];
}

/** What of a wanted configuration can be had without a restart, by the `requiresRestart` of each setting. */
export const applicable = (running: Config, wanted: Config): Applicable => {
  const needRestart: string[] = [];
  const merge = (schema: JsonSchema, path: string, now: unknown, then: unknown): unknown => {
    if (schema.properties !== undefined) {
      const entries = Object.entries(schema.properties).map(([key, child]) => [
        key,
        merge(child, path === "" ? key : `${path}.${key}`, childOf(now, key), childOf(then, key)),
      ]);
      const merged = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
      return Object.keys(merged).length === 0 && now === undefined && then === undefined ? undefined : merged;
    }
    if (schema.requiresRestart === false || isDeepStrictEqual(now, then)) return then;
    needRestart.push(path);
    return now;
  };
  return { config: merge(jsonSchema(), "", running, wanted) as Config, needRestart };
};

const childOf = (section: unknown, key: string): unknown =>
  (section as Readonly<Record<string, unknown>> | undefined)?.[key];
