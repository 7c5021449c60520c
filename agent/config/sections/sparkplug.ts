import { z } from "zod";
import { setting } from "../setting.ts";

/** Sparkplug B 3.0, 4.2: no level of a topic may hold a separator or a wildcard. */
const id = z.string().regex(/^[^+#/\0]{1,64}$/);

/** The agent as an edge node of Sparkplug B, at the broker of `mqtt`. */
export const sparkplug = z.strictObject({
  group: setting(id, "Group of the edge node; group and edge node together are unique at the broker.", "hall-3"),
  edgeNode: setting(id, "Name of the edge node; each stream is a device of it.", "ohmwatch"),
  primaryHost: setting(
    id.optional(),
    "Host application that must be online before anything is told; what happens meanwhile is told when it is back.",
    "scada",
  ),
});
