import { z } from "zod";
import { bundles } from "./sections/bundles.ts";
import { chip } from "./sections/chip.ts";
import { forward } from "./sections/forward.ts";
import { home } from "./sections/home.ts";
import { http } from "./sections/http.ts";
import { log } from "./sections/log.ts";
import { mqtt } from "./sections/mqtt.ts";
import { sparkplug } from "./sections/sparkplug.ts";
import { state } from "./sections/state.ts";
import { stream } from "./sections/stream.ts";
import { test } from "./sections/test.ts";
import { wyoming } from "./sections/wyoming.ts";
import { live, setting } from "./setting.ts";

/*
 * Every setting once, a file a section: type, range, default, unit, sentence, example. The JSON Schema, the example
 * file and the texts of mistakes are made from it.
 */

/** The whole configuration. */
export const configSchema = z.strictObject({
  mqtt: mqtt.prefault({}),
  state: state.prefault({}),
  forward: forward.prefault({}),
  log: log.prefault({}),
  http: http.optional(),
  home: home.optional(),
  sparkplug: sparkplug.optional(),
  wyoming: wyoming.optional(),
  chip: chip.prefault({}),
  bundles: bundles.prefault({}),
  streams: live(
    setting(z.array(stream).min(1).max(1000), "What comes in.", [
      { name: "bed-7-ecg", pipeline: "ecg", model: "ecg-beats" },
    ]),
  ),
  tests: live(
    setting(z.array(test).max(1000).default([]), "Recordings and what must come of them, for `config test`.", []),
  ),
});

/** A configuration that holds: all defaults filled in. */
export type Config = z.output<typeof configSchema>;
export type StreamConfig = Config["streams"][number];

/** The schema as JSON Schema 2020-12, for editors and for our own messages; each setting says `requiresRestart`. */
export const jsonSchema = (): JsonSchema => {
  made ??= withRestart(z.toJSONSchema(configSchema, { io: "input" }) as JsonSchema, true);
  return made;
};

/** It never changes and takes a millisecond to make. */
let made: JsonSchema | undefined;

/** Hand `requiresRestart` down from a section to its settings. */
const withRestart = (schema: JsonSchema, inherited: boolean): JsonSchema => {
  const requiresRestart = schema.requiresRestart ?? inherited;
  if (schema.properties === undefined) {
    const items = schema.items && withRestart(schema.items, requiresRestart);
    return { ...schema, ...(items !== undefined && { items }), requiresRestart };
  }
  const properties = Object.entries(schema.properties).map(([key, child]) => [
    key,
    withRestart(child, requiresRestart),
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
};

/** The part of a JSON Schema that we read. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  /** Whether a change counts only after a restart. */
  readonly requiresRestart?: boolean;
}
