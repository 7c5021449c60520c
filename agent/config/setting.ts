import { z } from "zod";

/** A setting: type with range and default, a sentence, an example, its unit. The one place where each is said. */
export const setting = <T extends z.ZodType>(type: T, description: string, example: unknown, unit?: string): T =>
  type.meta({ description, examples: [example], ...(unit === undefined ? {} : { unit }) }) as T;

/** A name of ours: of a stream, of a client. */
export const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** A setting, or a section, that a reload changes; all others need a restart. */
export const live = <T extends z.ZodType>(type: T): T => type.meta({ ...type.meta(), requiresRestart: false }) as T;
