/** A part of one, in percent. */
export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;
