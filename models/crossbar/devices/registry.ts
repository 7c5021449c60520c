import { cmoHfoxFalcone, cmoHfoxFalcone2Percent } from "./cmo-hfox-falcone.ts";
import type { DeviceModel } from "./device.ts";
import { generic } from "./generic.ts";
import { ideal } from "./ideal.ts";
import { pcmHermes2023, pcmHermes2023Two } from "./pcm-hermes-2023.ts";
import { pcmNandakumar2019 } from "./pcm-nandakumar-2019.ts";
import { rramMilo2021 } from "./rram-milo-2021.ts";
import { rramWan2022 } from "./rram-wan-2022.ts";
import { sonosAgrawal2022 } from "./sonos-agrawal-2022.ts";

/** All device models. A new one is one file and one entry here; its contract test runs over this list. */
export const devices: readonly DeviceModel[] = [
  ideal,
  generic,
  pcmNandakumar2019,
  pcmHermes2023,
  pcmHermes2023Two,
  rramWan2022,
  rramMilo2021,
  cmoHfoxFalcone,
  cmoHfoxFalcone2Percent,
  sonosAgrawal2022,
];

/** The device model of a name. @throws RangeError that names those there are */
export const deviceByName = (name: string): DeviceModel => {
  const device = devices.find((candidate) => candidate.name === name);
  if (device) return device;
  throw new RangeError(`device: expected one of ${devices.map((known) => known.name).join(", ")}, got ${name}`);
};
