import { devices } from "../models/crossbar/devices/registry.ts";
import { codecNames } from "./codecs/codec.ts";
import type { KnownNames } from "./config/load.ts";

/** The names that a configuration may use. */
export const knownNames = (): KnownNames => ({
  codecs: codecNames,
  devices: ["digital", ...devices.map(({ name }) => name)],
});
