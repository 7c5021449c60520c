import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deviceByName } from "../models/crossbar/devices/registry.ts";
import { parseModel } from "../models/load.ts";
import type { Model } from "../models/model.ts";
import { AnalogNetwork } from "../models/network/analog.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import { ModelError } from "../models/network/model-error.ts";
import { runningForm } from "../models/running-form.ts";
import type { Config } from "./config/schema.ts";
import { programBytes, programNames } from "./program-files.ts";

/** The models that come with the program, `<name>/model.onnx` each, or those of the folder that `OHMWATCH_ZOO` names. */
const zoo = {
  names: (): readonly string[] => {
    const folder = process.env["OHMWATCH_ZOO"];
    if (folder === undefined)
      return programNames("models/zoo").filter((name) => hasModel(programNames(`models/zoo/${name}`)));
    return existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.onnx"))) : [];
  },
  read: (name: string): Uint8Array => {
    const folder = process.env["OHMWATCH_ZOO"];
    if (folder === undefined) return programBytes(`models/zoo/${name}/model.onnx`);
    return readFileSync(join(folder, name, "model.onnx"));
  },
};

const hasModel = (names: readonly string[]): boolean => names.includes("model.onnx");

/** A model that there is none of. Exit code 66. */
export class ModelNotFound extends Error {
  readonly exitCode = 66;
}

/** A file that is no model, or a model that does not fit its pipeline. Exit code 65. */
export class ModelUnusable extends Error {
  readonly exitCode = 65;
}

/** Do what fails when a model is unusable. @throws ModelUnusable with the same sentence, naming the model */
export const usingModel = <T>(name: string, work: () => T): T => {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof ModelError || cause instanceof RangeError) {
      throw new ModelUnusable(`${name}: ${cause.message}`, { cause });
    }
    throw cause;
  }
};

/** Names of the models in the zoo. */
export const zooNames = (): readonly string[] => [...zoo.names()].sort();

/** Content of a model's file: of the zoo by name, else of an `.onnx` file by path. @throws ModelNotFound */
export const modelBytes = (nameOrPath: string): Uint8Array => {
  const known = zooNames();
  if (known.includes(nameOrPath)) return zoo.read(nameOrPath);
  if (existsSync(nameOrPath) && nameOrPath.endsWith(".onnx")) return readFileSync(nameOrPath);
  const names = known.length === 0 ? "none in the zoo" : known.join(", ");
  throw new ModelNotFound(`model: expected an .onnx file or one of (${names}), got ${nameOrPath}`);
};

/**
 * Read a model and program it on a crossbar of its own: devices, age and compensation as the chip says. The device
 * `digital` runs it without a crossbar.
 *
 * @throws ModelNotFound; ModelUnusable where the file is no model that fits
 */
export const openModel = (nameOrPath: string, chip: Config["chip"]): Model => {
  const bytes = modelBytes(nameOrPath);
  return usingModel(nameOrPath, () => programmed(bytes, chip));
};

const programmed = (bytes: Uint8Array, chip: Config["chip"]): Model => {
  const { graph: whole, manifest } = parseModel(bytes);
  const graph = runningForm(whole, manifest);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (chip.device === "digital")
    return { manifest, sha256, network: new DigitalNetwork(graph, { kernel: chip.kernel }) };
  const { device, seed, kernel } = { ...chip, device: deviceByName(chip.device) };
  const network = new AnalogNetwork(graph, { device, seed, mapping: manifest.mapping, kernel });
  network.ageTo(chip.ageSeconds);
  network.calibrate(chip.compensation);
  return { manifest, sha256, network };
};
