import { crc32 } from "node:zlib";
import type { MqttMessage } from "../mqtt/message.ts";

/** A message that a stream took. */
export interface JournalEntry {
  readonly stream: string;
  readonly message: MqttMessage;
}

/*
 * A record, little-endian: length and CRC-32 of what follows, u32 each; then the time of receipt as i64 ns, QoS as u8,
 * lengths of stream and topic as u16 each, their UTF-8, and the payload.
 */
const headBytes = 8;
const fixedBytes = 8 + 1 + 2 + 2;

/** Bytes that the record of an entry takes. */
export const recordBytes = ({ stream, message }: JournalEntry): number =>
  headBytes + fixedBytes + Buffer.byteLength(stream) + Buffer.byteLength(message.topic) + message.payload.length;

/** Write the record of an entry; `recordBytes` says how much room it needs. @returns where it ends */
export const writeRecord = (buffer: Buffer, at: number, { stream, message }: JournalEntry): number => {
  const bodyAt = at + headBytes;
  const namesAt = bodyAt + fixedBytes;
  const streamBytes = buffer.write(stream, namesAt);
  const topicBytes = buffer.write(message.topic, namesAt + streamBytes);
  const payloadAt = namesAt + streamBytes + topicBytes;
  buffer.set(message.payload, payloadAt);
  const end = payloadAt + message.payload.length;
  buffer.writeBigInt64LE(message.receivedAtNs, bodyAt);
  buffer.writeUInt8(message.qos, bodyAt + 8);
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
    const topicAt = fixedBytes + body.readUInt16LE(9);
    const payloadAt = topicAt + body.readUInt16LE(11);
    entries.push({
      stream: body.toString("utf8", fixedBytes, topicAt),
      message: {
        topic: body.toString("utf8", topicAt, payloadAt),
        qos: body.readUInt8(8) as 0 | 1 | 2,
        receivedAtNs: body.readBigInt64LE(0),
        payload: new Uint8Array(body.subarray(payloadAt)),
      },
    });
    at += headBytes + length;
  }
  return entries;
};
