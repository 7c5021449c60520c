/** What all of the load bench's processes agree on. */

/** Bytes of a payload. */
export const payloadBytes = 256;
/** Samples in a payload of so many bytes, s16. */
export const samplesEach = 98;
export const rateHz = 12_000;

/** Processor time that this process has used, ms: unlike a rate it is the same on a busy machine. */
export const busyMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
