import type { Manifest } from "./manifest.ts";
import type { Network } from "./network/network.ts";

/** A network with what the agent must know to feed it and to read its answers. */
export interface Model {
  readonly manifest: Manifest;
  /** Of the ONNX file. */
  readonly sha256: string;
  readonly network: Network;
  /** How far its answers can be trusted; left out: as far as they go. */
  readonly doubt?: Doubt;
}

/**
 * Standard deviations of the chip's answers about its digital twin's, in ln of the ratio that decides: best to
 * second-best score, or error to threshold.
 */
export interface AnswerNoise {
  /** What stays the same from read to read: programming, drift, converters. */
  readonly lasting: number;
  /** What each read draws anew. */
  readonly read: number;
}

/** What is done with an answer that the noise of the chip could have decided. */
export type DoubtPolicy = "mark" | "repeat" | "digital";

/** How far the answers of a chip can be trusted now, and what is done where they cannot. */
export interface Doubt {
  readonly policy: DoubtPolicy;
  /** Answers whose margin is below so many standard deviations are doubted. */
  readonly sigmas: number;
  /** How often a doubted answer is read in all, where it is repeated. */
  readonly reads: number;
  /** The same network without a chip. */
  readonly twin: Network;
  /** As last measured; undefined: not yet. */
  readonly noise: () => AnswerNoise | undefined;
  /** Told the margin of each first answer. */
  readonly onMargin?: (margin: number) => void;
  /** False where the chip is worn or broken beyond repair and must not answer. */
  readonly mayAnswer: () => boolean;
}
