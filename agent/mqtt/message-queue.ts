import type { MqttMessage } from "./connection.ts";

/** How a queue behaves when it is full: `block` holds the sender back, `drop-oldest` loses the oldest. */
export type QueuePolicy = "block" | "drop-oldest";

interface Waiting {
  readonly message: MqttMessage;
  /** Called when the message was handled. */
  readonly handled: () => void;
}

const nothing = (): void => {};

/**
 * A bounded queue of one stream. With `drop-oldest` the sender never waits; with `block` a message of QoS 1 is
 * acknowledged when it was handled, and one of QoS 0 that finds the queue full holds the sender until there is room.
 */
export class MessageQueue {
  readonly #limit: number;
  readonly #policy: QueuePolicy;
  readonly #onDrop: (message: MqttMessage) => void;
  #waiting: Waiting[] = [];
  #held: (() => void)[] = [];

  /** @param onDrop told of each message lost */
  constructor(limit: number, policy: QueuePolicy, onDrop: (message: MqttMessage) => void) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`limit: expected an integer ≥ 1, got ${limit}`);
    }
    this.#limit = limit;
    this.#policy = policy;
    this.#onDrop = onDrop;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Take a message; `done` is called when the sender may go on. */
  push(message: MqttMessage, done: () => void): void {
    if (this.#policy === "block" && message.qos > 0) {
      this.#waiting.push({ message, handled: done });
      return;
    }
    this.#waiting.push({ message, handled: nothing });
    if (this.#waiting.length <= this.#limit) {
      done();
    } else if (this.#policy === "block") {
      this.#held.push(done);
    } else {
      this.#onDrop(this.#waiting.shift()!.message);
      done();
    }
  }

  /** Take over what waits in the queue before this one, in order, beyond the limit too: none of it is lost. */
  takeOver(before: MessageQueue): void {
    this.#waiting = [...before.#waiting.splice(0), ...this.#waiting];
    this.#held.push(...before.#held.splice(0));
  }

  /** Handle the oldest message, then let its sender go on. @returns whether there was one */
  handleOne(handle: (message: MqttMessage) => void): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    try {
      handle(next.message);
    } finally {
      next.handled();
      if (this.#waiting.length <= this.#limit) for (const done of this.#held.splice(0)) done();
    }
    return true;
  }
}
