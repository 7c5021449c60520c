import { createHash } from "node:crypto";
import { deviceByName } from "../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../models/load.ts";
import { runningForm } from "../../models/running-form.ts";
import type { Config } from "../config/schema.ts";
import { chipKey } from "../store/chip-record.ts";
import type { ChipPlan } from "./living-chip.ts";

/** A chip that a configuration asks for, and the name that it is stored by. */
export interface PlannedChip {
  readonly key: string;
  readonly sha256: string;
  readonly plan: ChipPlan;
}

/** @param bytes a model file. @throws ModelError or RangeError where it is none, or the device unknown */
export const plannedChip = (bytes: Uint8Array, { device, seed, kernel }: Config["chip"]): PlannedChip => {
  const { graph, manifest } = parseModel(bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return {
    key: chipKey({ modelSha256: sha256, device, seed }),
    sha256,
    plan: { graph: runningForm(graph, manifest), manifest, device: deviceByName(device), seed, kernel },
  };
};
