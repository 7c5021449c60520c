import { type Command, Option } from "commander";
import { devices } from "../../models/crossbar/devices/registry.ts";
import { type Config, configSchema } from "../config/schema.ts";
import { age, integerIn } from "./options.ts";

/** What the options below give. */
export interface ChipOptions {
  readonly device: string;
  readonly age: number;
  readonly compensation: Config["chip"]["compensation"];
  readonly seed: number;
}

const defaults = configSchema.shape.chip.parse({});

/** Give a command the options of the crossbar: device, age, compensation, seed. Defaults are those of the schema. */
export const withChipOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("--device <name>", "device model, or digital")
        .choices(["digital", ...devices.map(({ name }) => name)])
        .default(defaults.device),
    )
    .addOption(new Option("--age <time>", "time since programming: 0s, 1h, 1d, 1y").argParser(age).default(0, "0s"))
    .addOption(
      new Option("--compensation <mode>", "how drift is compensated")
        .choices(["none", "global", "per-column"])
        .default(defaults.compensation),
    )
    .option("--seed <n>", "seed of the devices", integerIn(0, 0xffffffff), defaults.seed);

/** The chip that the options ask for. */
export const chipOf = ({ device, age: ageSeconds, compensation, seed }: ChipOptions): Config["chip"] => ({
  ...defaults,
  device,
  ageSeconds,
  compensation,
  seed,
});
