import type { MqttClient } from "mqtt";
import type { Config } from "../config/schema.ts";
import type { Emit } from "../telemetry/events.ts";
import { sharedFilter, withoutCovered } from "./topics.ts";

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

  /** Add filters of somebody who listens beside the streams; they are never shared. `renew` tells the broker. */
  add(filters: readonly string[]): void {
    this.#own = withoutCovered([...this.#own, ...filters]);
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
    // What the broker keeps comes once, not at each renewal; MQTT 5 knows how.
    const retainHandling = this.#client.options.protocolVersion === 5 ? { rh: 1 } : {};
    const asked = wanted.map((topic) =>
      this.#client.subscribeAsync(topic, { qos: this.#settings.qos, ...retainHandling }).catch((error: Error) => {
        this.#emit({ name: "BrokerLost", detail: `Subscribing to ${topic} failed: ${error.message}.` });
      }),
    );
    await Promise.all(asked);
    const old = this.#givenUp.filter((topic) => !wanted.includes(topic));
    if (old.length === 0 || !this.#client.connected) return;
    // What fails here is tried again at the next connection.
    const isDone = await this.#client.unsubscribeAsync([...old]).then(
      () => true,
      () => false,
    );
    if (isDone) this.#givenUp = this.#givenUp.filter((topic) => !old.includes(topic));
  }

  #shared(filters: readonly string[]): readonly string[] {
    return filters.map((filter) => sharedFilter(filter, this.#settings.shareGroup));
  }
}
