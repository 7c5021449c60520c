/** Why samples of a stream never reached its model. */
export type DropReason =
  /** The block holds no samples, or its rate or channels make no sense. */
  | "malformed"
  /** A block that was there already. */
  | "repeated"
  /** A block that came after its turn was over. */
  | "late"
  /** NaN or infinite, for longer than may be interpolated. */
  | "not-finite"
  /** The model's rate cannot be made of the block's. */
  | "rate"
  /** The block lacks channels that the model needs. */
  | "channels"
  /** The block lacks the channel that a level rule watches. */
  | "level"
  /** The stream ended before its baseline was learned. */
  | "baseline";

/** Told of samples (time steps) that were left out. */
export type OnDrop = (reason: DropReason, samples: number) => void;

/** Told of samples (time steps) that were made up by interpolation, or (`clock`) whose time was: the sender's was set back. */
export type OnRepair = (reason: "gap" | "not-finite" | "clock", samples: number) => void;
