import type { MqttClient } from "mqtt";
import type { Config } from "../config/schema.ts";
import type { Emit } from "../telemetry/events.ts";
import { sharedFilter, withoutCovered } from "./topics.ts";

/** Whether the broker sends what it keeps: MQTT 5, 3.8.3.1. What is kept is no live sample. */
const retain = { ifNew: 1, never: 2 } as const;

/** What a connection is subscribed to: filters of the streams, which may change and may be shared, and some of our own. */
export class Subscriptions {
  readonly #client: MqttClient;
  readonly #settings: Pick<Config["mqtt"], "qos" | "shareGroup">;
  readonly #emit: Emit;
  #own: readonly string[] = [];
  #filters: readonly string[];
  /** Filters that the broker's session may still hold. */
  #givenUp: readonly string[] = [];

  constructor(
    client: MqttClient,
    settings: Pick<Config["mqtt"], "qos" | "shareGroup">,
    streams: readonly string[],
    emit: Emit,
  ) {
    this.#client = client;
    this.#settings = settings;
    this.#emit = emit;
    this.#filters = this.#shared(streams);
  }

  /** Filters of the streams, as the broker knows them. */
  get ofStreams(): readonly string[] {
    return this.#filters;
  }

  /** Add filters of somebody who listens beside the streams; they are never shared. Never throws. */
  async add(filters: readonly string[]): Promise<void> {
    const before = this.#own;
    this.#own = withoutCovered([...this.#own, ...filters]);
    if (!this.#client.connected) return;
    await Promise.all(
      this.#own.filter((topic) => !before.includes(topic)).map((topic) => this.#ask(topic, retain.ifNew)),
    );
  }

  /** Take other filters for the streams; `renew` tells the broker. */
  change(streams: readonly string[]): void {
    const next = this.#shared(streams);
    this.#givenUp = [...new Set([...this.#givenUp, ...this.#filters])].filter((topic) => !next.includes(topic));
    this.#filters = next;
  }

  /** Subscribe to all, then give up what is no longer wanted: none in common is missed. Never throws. */
  async renew(): Promise<void> {
    const wanted = [...this.#filters, ...this.#own];
    await Promise.all([
      ...this.#filters.map((topic) => this.#ask(topic, retain.never)),
      ...this.#own.map((topic) => this.#ask(topic, retain.ifNew)),
    ]);
    const old = this.#givenUp.filter((topic) => !wanted.includes(topic));
    if (old.length === 0 || !this.#client.connected) return;
    // What fails here is tried again at the next connection.
    const isDone = await this.#client.unsubscribeAsync([...old]).then(
      () => true,
      () => false,
    );
    if (isDone) this.#givenUp = this.#givenUp.filter((topic) => !old.includes(topic));
  }

  async #ask(topic: string, retainHandling: 0 | 1 | 2): Promise<void> {
    const isFive = this.#client.options.protocolVersion === 5;
    // A shared subscription gets nothing that is kept [MQTT 5, 4.8.2].
    const rh = isFive && !topic.startsWith("$share/") ? { rh: retainHandling } : {};
    await this.#client.subscribeAsync(topic, { qos: this.#settings.qos, ...rh }).catch((error: Error) => {
      if (!this.#client.connected) return; // asked again at the next connection
      const detail = `Subscribing to ${topic} failed: ${error.message}.`;
      this.#emit({ name: "SubscriptionRefused", detail });
    });
  }

  #shared(filters: readonly string[]): readonly string[] {
    return filters.map((filter) => sharedFilter(filter, this.#settings.shareGroup));
  }
}
