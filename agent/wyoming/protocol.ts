/** An event of the Wyoming protocol: a line of JSON, then perhaps more JSON, then perhaps bytes. */
export interface WyomingEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

/** A peer that does not speak Wyoming. */
export class ProtocolError extends Error {}

/** Bounds of one event. */
const limits = { headerBytes: 65_536, dataBytes: 2 ** 20, payloadBytes: 2 ** 20 } as const;

interface Header {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataLength: number;
  readonly payloadLength: number;
}

const newline = 0x0a;
const nothing = new Uint8Array();

/** Cuts a stream of bytes into events. */
export class EventReader {
  #held: Buffer = Buffer.alloc(0);
  #header: Header | undefined;

  /** Take bytes; gives the events that are whole now. @throws ProtocolError where they are none */
  *push(bytes: Uint8Array): Generator<WyomingEvent> {
    this.#held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    for (;;) {
      this.#header ??= this.#readHeader();
      if (this.#header === undefined) return;
      const { type, data, dataLength, payloadLength } = this.#header;
      if (this.#held.length < dataLength + payloadLength) return;
      const more = dataLength === 0 ? {} : recordOf(this.#held.toString("utf8", 0, dataLength));
      const payload = payloadLength === 0 ? nothing : this.#held.subarray(dataLength, dataLength + payloadLength);
      this.#held = this.#held.subarray(dataLength + payloadLength);
      this.#header = undefined;
      yield { type, data: { ...data, ...more }, payload };
    }
  }

  #readHeader(): Header | undefined {
    const end = this.#held.indexOf(newline);
    if (end > limits.headerBytes || (end === -1 && this.#held.length > limits.headerBytes)) {
      throw new ProtocolError(`header: expected a line of at most ${limits.headerBytes} bytes, got a longer one`);
    }
    if (end === -1) return undefined;
    const fields = recordOf(this.#held.toString("utf8", 0, end));
    this.#held = this.#held.subarray(end + 1);
    const { type, data } = fields;
    if (typeof type !== "string") throw new ProtocolError(`type: expected a word, got ${JSON.stringify(type)}`);
    return {
      type,
      data: isRecord(data) ? data : {},
      dataLength: lengthOf(fields, "data_length", limits.dataBytes),
      payloadLength: lengthOf(fields, "payload_length", limits.payloadBytes),
    };
  }
}

/** An event as bytes. */
export const eventBytes = (type: string, data: Readonly<Record<string, unknown>> = {}): Uint8Array => {
  const body = Buffer.from(JSON.stringify(data));
  const hasData = Object.keys(data).length > 0;
  const header = { type, version: "1.5.4", ...(hasData && { data_length: body.length }) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...(hasData ? [body] : [])]);
};

const recordOf = (text: string): Readonly<Record<string, unknown>> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError(`event: expected JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (!isRecord(value)) throw new ProtocolError(`event: expected a JSON object, got ${text.slice(0, 40)}`);
  return value;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const lengthOf = (fields: Readonly<Record<string, unknown>>, key: string, limit: number): number => {
  const value = fields[key] ?? 0;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > limit) {
    throw new ProtocolError(`${key}: expected an integer 0 … ${limit}, got ${JSON.stringify(value)}`);
  }
  return value;
};
