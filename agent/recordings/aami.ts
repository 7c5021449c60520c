/** The five classes of beats of ANSI/AAMI EC57, in the order of the models' labels. */
export const aamiClasses = ["N", "S", "V", "F", "Q"] as const;

export type AamiClass = (typeof aamiClasses)[number];

/** [AAMI EC57, table 1, with the symbols of WFDB]: normal, supraventricular, ventricular, fusion, unknown or paced. */
const classOfSymbol: Readonly<Record<string, AamiClass>> = {
  N: "N",
  L: "N",
  R: "N",
  B: "N",
  e: "N",
  j: "N",
  A: "S",
  a: "S",
  J: "S",
  S: "S",
  n: "S",
  V: "V",
  E: "V",
  r: "V",
  F: "F",
  "/": "Q",
  f: "Q",
  Q: "Q",
  "?": "Q",
};

/** AAMI class of an annotation symbol; undefined where it marks no beat (rhythm, noise, flutter wave `!`). */
export const aamiClassOf = (symbol: string): AamiClass | undefined => classOfSymbol[symbol];
