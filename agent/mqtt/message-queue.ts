import type { MqttMessage } from "./message.ts";

/**
 * How a queue behaves when it is full: `block` holds the sender back, `drop-oldest` loses the oldest, `sample` every second
 * one that waits, the newest never.
 */
export type QueuePolicy = "block" | "drop-oldest" | "sample";

/** How much may wait. */
export interface QueueLimits {
  readonly messages: number;
  /** Of all payloads together. */
  readonly bytes: number;
}

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

/** A bounded queue of one stream: at most its limits, and with `block` the one message whose sender waits. */
export class MessageQueue {
  readonly #limits: QueueLimits;
  readonly #policy: QueuePolicy;
  readonly #onDrop: (message: MqttMessage) => void;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #held: (() => void)[] = [];

  /** @param onDrop told of each message lost */
  constructor(limits: QueueLimits, policy: QueuePolicy, onDrop: (message: MqttMessage) => void) {
    const { messages, bytes } = limits;
    if (!Number.isInteger(messages) || messages < 1) {
      throw new RangeError(`messages: expected an integer ≥ 1, got ${messages}`);
    }
    if (!(bytes >= 1)) throw new RangeError(`bytes: expected a number ≥ 1, got ${bytes}`);
    this.#limits = limits;
    this.#policy = policy;
    this.#onDrop = onDrop;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Take a message. */
  push(message: MqttMessage, { goOn, handled }: Sender): void {
    this.#waiting.push({ message, handled });
    this.#bytes += message.payload.length;
    if (this.#policy === "block" && this.#isFull()) {
      this.#held.push(goOn);
      return;
    }
    while (this.#isFull())
      for (const lost of this.#policy === "sample" ? this.#everySecond() : this.#oldest()) this.#lost(lost);
    goOn();
  }

  /** Beyond its limits; a single message is let in whatever its size, its codec may refuse it. */
  #isFull(): boolean {
    const { length } = this.#waiting;
    return length > this.#limits.messages || (length > 1 && this.#bytes > this.#limits.bytes);
  }

  #oldest(): readonly Waiting[] {
    return [this.#waiting.shift()!];
  }

  #everySecond(): readonly Waiting[] {
    const odd = this.#waiting.length % 2;
    const all = this.#waiting;
    this.#waiting = all.filter((_, i) => i % 2 !== odd);
    return all.filter((_, i) => i % 2 === odd);
  }

  #lost({ message, handled }: Waiting): void {
    this.#bytes -= message.payload.length;
    this.#onDrop(message);
    handled();
  }

  /** Take over what waits in the queue before this one, in order, beyond the limit too: none of it is lost. */
  takeOver(before: MessageQueue): void {
    this.#waiting = [...before.#waiting.splice(0), ...this.#waiting];
    this.#bytes += before.#bytes;
    before.#bytes = 0;
    this.#held.push(...before.#held.splice(0));
  }

  /** Handle the oldest message, then let its sender go on. @returns whether there was one */
  handleOne(handle: (message: MqttMessage) => void): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.#bytes -= next.message.payload.length;
    try {
      handle(next.message);
    } finally {
      next.handled();
      if (!this.#isFull()) for (const goOn of this.#held.splice(0)) goOn();
    }
    return true;
  }
}
