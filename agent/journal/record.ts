import { crc32 } from "node:zlib";
import type { MqttMessage } from "../mqtt/message.ts";

/** Where a stream was when it took a message, so that what is read again is read in the same way. */
export interface Place {
  /** Number of the next inference of its chip; undefined: it has none. */
  readonly inference?: number | undefined;
  /** When a frame begins, the last that was classified, ns since 1970; undefined: none was yet. */
  readonly frameFromNs?: bigint | undefined;
}

/** A message that a stream took. */
export interface JournalEntry extends Place {
  readonly stream: string;
  readonly message: MqttMessage;
}

/*
 * A record, little-endian: length and CRC-32 of what follows, u32 each; then the time of receipt as i64 ns, QoS and flags
 * as u8, lengths of stream and topic as u16 each; where its flag says so the number of the inference as f64, and the
 * beginning of a frame as i64 ns; UTF-8 of stream and topic, and the payload.
 */
const headBytes = 8;
const fixedBytes = 8 + 1 + 2 + 2;
const [qosMask, inferenceFlag, frameFlag] = [0x03, 0x10, 0x20];

const placeBytes = ({ inference, frameFromNs }: Place): number =>
  (inference === undefined ? 0 : 8) + (frameFromNs === undefined ? 0 : 8);

/** Bytes that the record of an entry takes. */
export const recordBytes = (entry: JournalEntry): number => {
  const { stream, message } = entry;
  const names = Buffer.byteLength(stream) + Buffer.byteLength(message.topic);
  return headBytes + fixedBytes + placeBytes(entry) + names + message.payload.length;
};

/** Write the record of an entry; `recordBytes` says how much room it needs. @returns where it ends */
export const writeRecord = (buffer: Buffer, at: number, entry: JournalEntry): number => {
  const { stream, message, inference, frameFromNs } = entry;
  const bodyAt = at + headBytes;
  const namesAt = bodyAt + fixedBytes + placeBytes(entry);
  if (inference !== undefined) buffer.writeDoubleLE(inference, bodyAt + fixedBytes);
  if (frameFromNs !== undefined) buffer.writeBigInt64LE(frameFromNs, namesAt - 8);
  const flags = (inference === undefined ? 0 : inferenceFlag) | (frameFromNs === undefined ? 0 : frameFlag);
  const streamBytes = buffer.write(stream, namesAt);
  const topicBytes = buffer.write(message.topic, namesAt + streamBytes);
  const payloadAt = namesAt + streamBytes + topicBytes;
  buffer.set(message.payload, payloadAt);
  const end = payloadAt + message.payload.length;
  buffer.writeBigInt64LE(message.receivedAtNs, bodyAt);
  buffer.writeUInt8(message.qos | flags, bodyAt + 8);
  buffer.writeUInt16LE(streamBytes, bodyAt + 9);
  buffer.writeUInt16LE(topicBytes, bodyAt + 11);
  buffer.writeUInt32LE(end - bodyAt, at);
  buffer.writeUInt32LE(crc32(buffer.subarray(bodyAt, end)), at + 4);
  return end;
};

/** The entries of a journal, up to the first that is torn or damaged: a crash may have cut the last one short. */
export const entriesOf = (bytes: Buffer): JournalEntry[] => {
  const entries: JournalEntry[] = [];
  let at = 0;
  while (at + headBytes + fixedBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + headBytes, at + headBytes + length);
    if (length < fixedBytes || body.length < length || crc32(body) !== bytes.readUInt32LE(at + 4)) break;
    const flags = body.readUInt8(8);
    const [hasInference, hasFrame] = [(flags & inferenceFlag) !== 0, (flags & frameFlag) !== 0];
    const namesAt = fixedBytes + (hasInference ? 8 : 0) + (hasFrame ? 8 : 0);
    const topicAt = namesAt + body.readUInt16LE(9);
    const payloadAt = topicAt + body.readUInt16LE(11);
    entries.push({
      stream: body.toString("utf8", namesAt, topicAt),
      ...(hasInference && { inference: body.readDoubleLE(fixedBytes) }),
      ...(hasFrame && { frameFromNs: body.readBigInt64LE(namesAt - 8) }),
      message: {
        topic: body.toString("utf8", topicAt, payloadAt),
        qos: (flags & qosMask) as 0 | 1 | 2,
        receivedAtNs: body.readBigInt64LE(0),
        payload: new Uint8Array(body.subarray(payloadAt)),
      },
    });
    at += headBytes + length;
  }
  return entries;
};
