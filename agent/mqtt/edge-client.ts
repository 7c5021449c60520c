import mqtt from "mqtt";
import type { Config } from "../config/schema.ts";
import { guarded } from "../guarded.ts";
import type { Emit } from "../telemetry/events.ts";
import { clientOptions } from "./client-options.ts";
import { watchKeepAlive } from "./liveness.ts";

/** A topic with its payload. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What an edge client needs. */
export interface EdgeClientOptions {
  readonly url: string;
  readonly mqtt: Config["mqtt"];
  readonly clientId: string;
  /** The will of the next connection; asked for before each. */
  readonly will: () => Publication;
  /** Subscribed to with QoS 1 at each connection, before `onReady`. */
  readonly filters: readonly string[];
  readonly onReady: () => void;
  readonly onLost: () => void;
  readonly onMessage: (topic: string, payload: Uint8Array) => void;
  readonly emit: Emit;
}

/** A connection of its own with a clean session and a will that differs each time, as Sparkplug wants it. */
export interface EdgeClient {
  publish(publication: Publication, qos: 0 | 1): void;
  /** Publish a last message, disconnect properly, so that the will is not sent, and connect anew. */
  rejoin(last: Publication): void;
  /** Publish a last message and disconnect for good. */
  close(last: Publication | undefined): Promise<void>;
}

/** Connect, and again for ever. */
export const connectEdge = (options: EdgeClientOptions): EdgeClient => {
  const will = (): NonNullable<mqtt.IClientOptions["will"]> => {
    const { topic, payload } = options.will();
    return { topic, payload: Buffer.from(payload), qos: 1, retain: false };
  };
  const base = clientOptions(options.mqtt, "");
  const client = mqtt.connect(options.url, {
    ...base,
    clientId: options.clientId,
    clean: true, // tck-id-principles-persistence-clean-session-311, -50
    will: will(),
    reconnectPeriod: 2000,
    ...(base.properties && { properties: { ...base.properties, sessionExpiryInterval: 0 } }),
  });
  watchKeepAlive(client);
  client.on("reconnect", () => {
    client.options.will = will();
  });
  client.on("error", () => {}); // the connection of the agent tells
  client.on("close", options.onLost);
  client.on("message", guarded(options.emit, options.onMessage));
  client.on("connect", () => {
    // tck-id-message-flow-edge-node-ncmd-subscribe: before the birth.
    client.subscribeAsync([...options.filters], { qos: 1 }).then(guarded(options.emit, options.onReady), (error) => {
      if (!client.connected) return; // asked again at the next connection
      const detail = `Subscribing to ${options.filters.join(", ")} failed: ${error.message}.`;
      options.emit({ name: "SubscriptionRefused", detail });
    });
  });
  const lastWords = async ({ topic, payload }: Publication): Promise<void> => {
    if (client.connected) await client.publishAsync(topic, Buffer.from(payload), { qos: 1 });
  };
  return {
    publish: ({ topic, payload }, qos) => {
      if (client.connected) client.publish(topic, Buffer.from(payload), { qos });
    },
    rejoin: (last) => {
      lastWords(last)
        .then(() => client.endAsync())
        .then(
          () => client.reconnect(),
          () => {}, // the connection broke meanwhile: it comes back by itself
        );
    },
    close: async (last) => {
      if (last !== undefined) await Promise.race([lastWords(last).catch(() => {}), expired(1000)]);
      await Promise.race([client.endAsync(!client.connected), expired(1000)]);
    },
  };
};

const expired = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());
