import { createHash } from "node:crypto";
import { deserialize, serialize } from "node:v8";
import type { ChipState } from "../../models/crossbar/tile-state.ts";

/** Which chip: its weights and its devices. Another model, device or seed is another chip. */
export interface ChipIdentity {
  readonly modelSha256: string;
  readonly device: string;
  readonly seed: number;
}

/** A chip as stored: its programmed state, and what upkeep knows of it. */
export interface StoredChip<Knowledge> {
  readonly state: ChipState;
  readonly knowledge: Knowledge;
}

/** What was done to a chip, why, what it took and what it gave. */
export interface UpkeepStep {
  /** Chip time, s. */
  readonly atSeconds: number;
  /** When that was, ms since 1970. */
  readonly wallMs: number;
  readonly kind: string;
  readonly why: string;
  /** Products of single tiles. */
  readonly reads: number;
  readonly pulses: number;
  readonly joules: number;
  /** Of the chip, s. */
  readonly seconds: number;
  /** Part of answers that are expected to differ from the digital twin's, before and after. */
  readonly riskBefore: number | undefined;
  readonly riskAfter: number | undefined;
}

/** Something that an agent which runs is asked to do: look after all chips now, or let one forget what it learned. */
export type ChipRequest = { readonly what: "care" } | { readonly what: "forget"; readonly model: string };

/** Where the clock of all chips stood. */
export interface StoredClock {
  readonly chipSeconds: number;
  readonly wallMs: number;
}

/** Name of a tile: its array and its number in it. */
export interface TileName {
  readonly array: string;
  readonly tile: number;
}

/** Steps of one kind together. */
export interface StepTotal {
  readonly kind: string;
  readonly steps: number;
  readonly reads: number;
  readonly pulses: number;
  readonly joules: number;
}

/** The name that a chip is stored by: of everything that its programming depends on. */
export const chipKey = ({ modelSha256, device, seed }: ChipIdentity): string =>
  createHash("sha256")
    .update(JSON.stringify([modelSha256, device, seed]))
    .digest("hex")
    .slice(0, 16);

/** What a stored chip cannot be used for: damaged, or of another form. */
export class ChipUnreadable extends Error {}

/** A value as bytes, by V8's serialisation, with their SHA-256. */
export const pack = (value: unknown): { bytes: Buffer; sha256: Buffer } => {
  const bytes = serialize(value);
  return { bytes, sha256: createHash("sha256").update(bytes).digest() };
};

/** The value again. @throws ChipUnreadable where the bytes are others; `what` names them */
export const unpack = (bytes: Buffer, sha256: Buffer, what: string): unknown => {
  const got = createHash("sha256").update(bytes).digest();
  if (!got.equals(sha256)) {
    const [expected, found] = [sha256, got].map((digest) => digest.toString("hex").slice(0, 12));
    throw new ChipUnreadable(`${what}: expected the SHA-256 ${expected}…, got ${found}…`);
  }
  return deserialize(bytes);
};
