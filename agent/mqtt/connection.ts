import mqtt, { type MqttClient } from "mqtt";
import type { Config } from "../config/schema.ts";
import { guarded } from "../guarded.ts";
import type { Emit } from "../telemetry/events.ts";
import { clientOptions } from "./client-options.ts";
import { watchAcknowledgement, watchKeepAlive } from "./liveness.ts";
import type { PublishOptions } from "./message.ts";
import { publishProperties } from "./publish-properties.ts";
import { type Listener, type Receivers, receive } from "./receive.ts";
import { Subscriptions } from "./subscriptions.ts";

export type { MqttMessage } from "./message.ts";

/** A connection to a broker that comes back for ever. */
export interface Connection {
  readonly isConnected: () => boolean;
  /** Publish, or keep until the broker is back. Resolves when the broker has it. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void>;
  /** Resolves at the first connection. */
  readonly connected: Promise<void>;
  /**
   * Take no more messages; resolves when the broker sends none any more, or at once while it is away. With QoS 1 the
   * subscriptions stay, and what still comes is not acknowledged: the broker keeps it for the next start.
   */
  unsubscribe(): Promise<void>;
  /**
   * Take messages of these filters from now on; resolves when the broker has said so, at once while it is away. The new
   * ones are asked for before the old are given up, so that none in common is missed.
   */
  subscribeTo(filters: readonly string[]): Promise<void>;
  /** Take the messages of some topics beside the streams, from now on. */
  listen(listener: Listener): void;
  /** Do something at each connection, and now where there is one. */
  onConnect(work: () => void): void;
  /** Say offline and disconnect. */
  close(): Promise<void>;
}

/** What a connection needs beside the broker's address. */
export interface ConnectionOptions extends Receivers {
  readonly url: string;
  readonly mqtt: Config["mqtt"];
  /** Topic filters of the streams; with `mqtt.shareGroup` shared subscriptions. */
  readonly filters: readonly string[];
  readonly emit: Emit;
}

/** Longest pause between two attempts: a gateway has one broker and wants its data. */
const longestPauseMs = 30_000;

/** Pause before the next attempt: doubles, and differs by chance, so that a hall of gateways does not come back at once. */
const pauseMs = (attempts: number): number =>
  Math.min(longestPauseMs, 500 * 2 ** Math.min(attempts, 8)) * (0.75 + 0.5 * Math.random());

/**
 * Connect, also when the broker is not there yet or refuses: tries again for ever, subscribes at each connection, keeps
 * what is published meanwhile. `{base}/bridge/state` says online, and offline by the will. With QoS 1 the broker keeps
 * the session while we are away, and gets its PUBACK when a message is safe. A broker that is silent for one and a half
 * keep-alives, or that does not acknowledge, counts as lost, whatever the socket says.
 */
export const connect = (options: ConnectionOptions): Connection => {
  const { url, mqtt: settings, filters, emit } = options;
  const stateTopic = `${settings.base}/bridge/state`;
  const client = mqtt.connect(url, clientOptions(settings, stateTopic));
  watchKeepAlive(client);
  const listeners: Listener[] = [];
  const atConnection: (() => void)[] = [];
  const receiving = receive(client, options, listeners);
  const subscriptions = new Subscriptions(client, settings, filters, emit);
  const connected = new Promise<void>((resolve) => client.once("connect", () => resolve()));
  let lost = false;
  /** Between CONNACK and `connect` MQTT.js sends what was on its way: what is published then would overtake the listeners. */
  let isUp = false;
  let attempts = 0;
  client.on("reconnect", () => {
    client.options.reconnectPeriod = pauseMs(++attempts);
  });
  client.on("connect", () => {
    isUp = true;
    lost = false;
    attempts = 0;
    client.options.reconnectPeriod = pauseMs(0);
    void subscriptions.renew();
    client.publish(stateTopic, '{"state":"online"}', { retain: true, qos: 1 });
    emit({ name: "BrokerConnected", detail: `Connected to ${withoutSecrets(url)}.` });
    for (const work of atConnection) work();
  });
  const away = (reason: string): void => {
    if (lost || client.disconnecting) return;
    lost = true;
    emit({ name: "BrokerLost", detail: `${withoutSecrets(url)} is away (${reason}); trying again for ever.` });
  };
  client.on("error", (error) => away("code" in error ? String(error.code) : error.message));
  client.on("close", () => {
    isUp = false;
    away("connection closed");
  });
  return {
    isConnected: () => isUp && client.connected,
    connected,
    publish: async (topic, payload, publishing = {}) => {
      const { qos = 0, retain = false } = publishing;
      const properties = publishProperties(publishing, client.options.protocolVersion);
      const sent = client.publishAsync(topic, payload as Buffer, { qos, retain, ...properties });
      await (qos === 1 ? watchAcknowledgement(client, sent) : sent);
    },
    unsubscribe: async () => {
      if (client.connected && settings.qos === 0) {
        await within(1000, client.unsubscribeAsync([...subscriptions.ofStreams]));
      }
      receiving.stop();
    },
    subscribeTo: async (next) => {
      subscriptions.change(next);
      if (client.connected) await within(5000, subscriptions.renew());
    },
    listen: ({ filters, onMessage }) => {
      const listener = { filters, onMessage: guarded(emit, onMessage) };
      listeners.push(listener);
      void subscriptions.add(listener.filters);
    },
    onConnect: (work) => {
      const guard = guarded(emit, work);
      atConnection.push(guard);
      if (client.connected) guard();
    },
    close: () => leave(client, stateTopic),
  };
};

const leave = async (client: MqttClient, stateTopic: string): Promise<void> => {
  if (client.connected) {
    await within(1000, client.publishAsync(stateTopic, '{"state":"offline"}', { retain: true, qos: 1 }));
  }
  await within(1000, client.endAsync(!client.connected));
};

/** Wait for the broker, but not longer than so many milliseconds: a program that is told to stop stops. */
export const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), limit]);
  clearTimeout(timer);
};

/** A broker's address without user and password. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, "//");
