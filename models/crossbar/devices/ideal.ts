import type { DeviceModel } from "./device.ts";

/**
 * A device that holds what is written and does nothing else.
 *
 * Source  none; the yardstick of the others.
 * Range   0 … 25 µS, as `pcm-nandakumar-2019`.
 * Models  nothing.
 * Omits   everything.
 */
export const ideal: DeviceModel = {
  name: "ideal",
  gMinSiemens: 0,
  gMaxSiemens: 25e-6,
  hasReadNoise: false,
  program(targetsSiemens, _deviates, cells) {
    cells.g0Siemens.set(targetsSiemens);
  },
  conductances(cells, _ageSeconds, outSiemens) {
    outSiemens.set(cells.g0Siemens.subarray(0, outSiemens.length));
  },
  readVariances(_cells, _ageSeconds, outSquareSiemens) {
    outSquareSiemens.fill(0);
  },
};
