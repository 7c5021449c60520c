/** What all of the load bench's processes agree on. */

/** Bytes of a payload. */
export const payloadBytes = 256;
/** Samples in a payload of so many bytes, s16. */
export const samplesEach = 98;
export const rateHz = 12_000;
