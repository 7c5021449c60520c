import { connect, type Socket } from "node:net";

/** An event as the wire has it: https://github.com/rhasspy/wyoming. */
export interface Heard {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/**
 * A plain peer of the Wyoming protocol, written from its description alone: a line of JSON, `data_length` bytes of JSON,
 * `payload_length` bytes.
 */
export class WyomingClient {
  readonly #socket: Socket;
  readonly heard: Heard[] = [];
  #held = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#held = Buffer.concat([this.#held, bytes]);
      while (this.#take());
      for (const check of this.#waiting.splice(0)) check();
    });
    socket.on("error", () => {});
  }

  static connect(port: number): Promise<WyomingClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new WyomingClient(socket)));
      socket.once("error", reject);
    });
  }

  send(type: string, data: object = {}, payload: Uint8Array = new Uint8Array()): void {
    this.#socket.write(`${JSON.stringify({ type, data, payload_length: payload.length })}\n`);
    this.#socket.write(payload);
  }

  /** As newer peers send it: the data behind the line. */
  sendApart(type: string, data: object, payload: Uint8Array): void {
    const body = Buffer.from(JSON.stringify(data));
    const header = { type, data_length: body.length, payload_length: payload.length };
    this.#socket.write(Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body, payload]));
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Resolves with the first event of a type that was not asked for before. */
  async next(type: string): Promise<Heard> {
    for (;;) {
      const at = this.heard.findIndex((event) => event.type === type);
      if (at !== -1) return this.heard.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when the other side has ended the connection. */
  get ended(): Promise<void> {
    return new Promise((resolve) => this.#socket.once("close", () => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(): boolean {
    const end = this.#held.indexOf("\n");
    if (end === -1) return false;
    const header = JSON.parse(this.#held.toString("utf8", 0, end)) as {
      type: string;
      data?: Record<string, unknown>;
      data_length?: number;
      payload_length?: number;
    };
    const from = end + 1;
    const to = from + (header.data_length ?? 0);
    if (this.#held.length < to + (header.payload_length ?? 0)) return false;
    const more = to > from ? (JSON.parse(this.#held.toString("utf8", from, to)) as object) : {};
    this.heard.push({ type: header.type, data: { ...header.data, ...more } });
    this.#held = this.#held.subarray(to + (header.payload_length ?? 0));
    return true;
  }
}
