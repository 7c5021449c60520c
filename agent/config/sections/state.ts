import { z } from "zod";
import { setting } from "../setting.ts";

/** Where the agent keeps what must last. */
export const state = z.strictObject({
  directory: setting(
    z.string().min(1).default("ohmwatch-state"),
    "Folder of the database.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shown to the user as it is
    "${STATE_DIRECTORY:-/var/lib/ohmwatch}",
  ),
  maxMegabytes: setting(
    z.number().min(1).max(1e6).default(512),
    "Size of the database at which the oldest anomalies that have ended are forgotten.",
    512,
    "MB",
  ),
  maxDays: setting(
    z.number().min(0.01).max(36_500).optional(),
    "Age at which anomalies that have ended are forgotten, counted from the newest; without it only the size counts.",
    400,
    "d",
  ),
  journalDirectory: setting(
    z.string().min(1).optional(),
    "Folder of the journal of messages whose windows are unfinished; without it that of the database. In memory (tmpfs) it spares the disk and still outlasts a crash.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shown to the user as it is
    "${RUNTIME_DIRECTORY:-/run/ohmwatch}",
  ),
});
