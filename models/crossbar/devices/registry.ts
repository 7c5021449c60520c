import type { DeviceModel } from "./device.ts";
import { ideal } from "./ideal.ts";
import { pcmNandakumar2019 } from "./pcm-nandakumar-2019.ts";

/** All device models. A new one is one file and one entry here; its contract test runs over this list. */
export const devices: readonly DeviceModel[] = [ideal, pcmNandakumar2019];

/** The device model of a name. @throws RangeError that names those there are */
export const deviceByName = (name: string): DeviceModel => {
  const device = devices.find((candidate) => candidate.name === name);
  if (device) return device;
  throw new RangeError(`device: expected one of ${devices.map((known) => known.name).join(", ")}, got ${name}`);
};
