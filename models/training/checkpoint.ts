/** The state of training between two epochs: all that resuming needs to give the same result. */
export interface Checkpoint {
  /** Epochs that are done. */
  readonly epoch: number;
  readonly step: number;
  /** Says which training it belongs to: net, options and sizes of the data. */
  readonly fingerprint: string;
  readonly history: readonly EpochRecord[];
  readonly bestScore: number;
  /** Values, moments of the optimiser, running statistics, and values and statistics of the best epoch. */
  readonly blocks: readonly Float32Array[];
}

/** One epoch's figures. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  readonly trainingLoss: number;
  /** Part of the (augmented) training samples classified right; 0 for an autoencoder. */
  readonly trainingAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

const magic = "ohmwatch-checkpoint-1\n";

/** A line of text, the header as a line of JSON, then the blocks as little-endian Float32. */
export const writeCheckpoint = ({ blocks, ...header }: Checkpoint): Uint8Array => {
  const lengths = blocks.map((block) => block.length);
  const text = new TextEncoder().encode(`${magic}${JSON.stringify({ ...header, lengths })}\n`);
  const bytes = new Uint8Array(text.length + 4 * lengths.reduce((a, b) => a + b, 0));
  bytes.set(text);
  let at = text.length;
  for (const block of blocks) {
    bytes.set(new Uint8Array(block.buffer, block.byteOffset, block.byteLength), at);
    at += block.byteLength;
  }
  return bytes;
};

/** The way back. @throws RangeError when the bytes are no checkpoint, or one cut short, or of another training */
export const readCheckpoint = (bytes: Uint8Array, fingerprint: string): Checkpoint => {
  const begin = new TextDecoder().decode(bytes.subarray(0, magic.length));
  const end = bytes.indexOf(10, magic.length);
  if (begin !== magic || end < 0) throw new RangeError("resume: expected a checkpoint of training, got other bytes");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(magic.length, end))) as Omit<
    Checkpoint,
    "blocks"
  > & {
    lengths: number[];
  };
  if (header.fingerprint !== fingerprint) {
    throw new RangeError("resume: expected a checkpoint of this net, data and options, got one of others");
  }
  let at = end + 1;
  const blocks = header.lengths.map((length) => {
    // A copy, whatever `bytes` is: the `slice` of a Buffer, as files are read, shares its memory.
    const block = new Float32Array(new Uint8Array(bytes.subarray(at, at + 4 * length)).buffer);
    at += 4 * length;
    if (block.length !== length) throw new RangeError("resume: expected a whole checkpoint, got one cut short");
    return block;
  });
  return { ...header, blocks };
};
