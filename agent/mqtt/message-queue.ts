import type { MqttMessage } from "./message.ts";

/** How a queue behaves when it is full: `block` holds the sender back, `drop-oldest` loses the oldest. */
export type QueuePolicy = "block" | "drop-oldest";

/** Whom a queue tells what became of a message. */
export interface Sender {
  /** There is room for the next message. */
  readonly goOn: () => void;
  /** The message was handled, or lost by the policy: it may be acknowledged. */
  readonly handled: () => void;
}

interface Waiting {
  readonly message: MqttMessage;
  readonly handled: () => void;
}

/** A bounded queue of one stream: at most its limit, and with `block` the one message whose sender waits. */
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

  /** Take a message. */
  push(message: MqttMessage, { goOn, handled }: Sender): void {
    this.#waiting.push({ message, handled });
    if (this.#waiting.length <= this.#limit) {
      goOn();
    } else if (this.#policy === "block") {
      this.#held.push(goOn);
    } else {
      const oldest = this.#waiting.shift()!;
      this.#onDrop(oldest.message);
      oldest.handled();
      goOn();
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
      if (this.#waiting.length <= this.#limit) for (const goOn of this.#held.splice(0)) goOn();
    }
    return true;
  }
}
