import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
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

/** An entry as bytes. */
export const recordOf = ({ stream, message }: JournalEntry): Uint8Array => {
  const names = Buffer.from(stream + message.topic);
  const streamBytes = Buffer.byteLength(stream);
  const record = Buffer.allocUnsafe(headBytes + fixedBytes + names.length + message.payload.length);
  record.writeBigInt64LE(message.receivedAtNs, headBytes);
  record.writeUInt8(message.qos, headBytes + 8);
  record.writeUInt16LE(streamBytes, headBytes + 9);
  record.writeUInt16LE(names.length - streamBytes, headBytes + 11);
  names.copy(record, headBytes + fixedBytes);
  record.set(message.payload, headBytes + fixedBytes + names.length);
  const body = record.subarray(headBytes);
  record.writeUInt32LE(body.length, 0);
  record.writeUInt32LE(crc32(body), 4);
  return record;
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

/** A file that records are appended to. What was written outlasts the process, not a power cut: nothing is synced. */
export class JournalFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes in the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the last run left; empty where there is no file. */
  read(): JournalEntry[] {
    return existsSync(this.#path) ? entriesOf(readFileSync(this.#path)) : [];
  }

  /** Append records with one write. @throws where the disk does not take them */
  append(records: readonly Uint8Array[]): void {
    if (this.#descriptor === undefined) {
      this.replace(records);
      return;
    }
    const bytes = Buffer.concat(records);
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
    this.#bytes += bytes.length;
  }

  /** Put these records in the place of all, atomically. @throws where the disk does not take them */
  replace(records: readonly Uint8Array[]): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const next = `${this.#path}.next`;
    const descriptor = openSync(next, "w", 0o600);
    try {
      const bytes = Buffer.concat(records);
      let written = 0;
      while (written < bytes.length) written += writeSync(descriptor, bytes, written);
      renameSync(next, this.#path);
      this.#close();
      this.#descriptor = descriptor;
      this.#bytes = bytes.length;
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Close and delete: nothing is unfinished. */
  remove(): void {
    this.#close();
    rmSync(this.#path, { force: true });
    rmSync(`${this.#path}.next`, { force: true });
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
