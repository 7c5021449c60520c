import type { MqttMessage } from "./message.ts";

/** A message of QoS 1 on its way from PUBLISH to PUBACK. */
interface Open {
  readonly message: MqttMessage;
  readonly id: number;
  isHandled: boolean;
}

/** What the acknowledgements need of the connection. */
export interface AcknowledgementParts {
  /** Send the PUBACK of a packet identifier. */
  readonly send: (id: number) => void;
  /** Make safe what was handled; called once for many, before their PUBACKs go out. */
  readonly commit: () => void;
}

/**
 * PUBACKs, each sent after its message was handled and made safe, in the order in which the messages came
 * [MQTT-4.6.0-2]. Reading goes on meanwhile, so that a slow stream does not hold up the answers to pings. What was not
 * acknowledged when a connection broke comes again [MQTT-4.4.0-1] and is known again: it is not handled twice.
 */
export class Acknowledgements {
  readonly #parts: AcknowledgementParts;
  #open: Open[] = [];
  /** Of the connection before, by packet identifier; the session keeps the identifiers. */
  #earlier = new Map<number, Open>();
  #isScheduled = false;

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
  }

  /** Messages that came and were not acknowledged yet. */
  get length(): number {
    return this.#open.length;
  }

  /**
   * Take a message.
   * @returns what to call when it was handled; undefined when it came before and needs no handling
   */
  take(message: MqttMessage, id: number, isRepeated: boolean): (() => void) | undefined {
    const known = this.#earlier.get(id);
    this.#earlier.delete(id);
    if (isRepeated && known !== undefined && isSame(known.message, message)) {
      this.#open.push(known);
      if (known.isHandled) this.#schedule();
      return undefined;
    }
    const open: Open = { message, id, isHandled: false };
    this.#open.push(open);
    return () => {
      open.isHandled = true;
      this.#schedule();
    };
  }

  /** The connection broke: nothing may be acknowledged on the next one before it came again. */
  interrupted(): void {
    for (const open of this.#open.splice(0)) this.#earlier.set(open.id, open);
  }

  /** The broker has forgotten the session: nothing comes again. */
  forgotten(): void {
    this.#earlier.clear();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const first = this.#open.findIndex(({ isHandled }) => !isHandled);
      const handled = this.#open.splice(0, first === -1 ? this.#open.length : first);
      if (handled.length === 0) return;
      this.#parts.commit();
      for (const { id } of handled) this.#parts.send(id);
    });
  }
}

const isSame = (a: MqttMessage, b: MqttMessage): boolean =>
  a.topic === b.topic && Buffer.compare(a.payload, b.payload) === 0;
