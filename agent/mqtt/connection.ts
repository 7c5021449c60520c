import mqtt, { type MqttClient } from "mqtt";
import type { Config } from "../config/schema.ts";
import type { Emit } from "../telemetry/events.ts";
import { clientOptions } from "./client-options.ts";

/** A message as it came in, hop 1. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Nanoseconds since 1970 of this machine's clock. */
  readonly receivedAtNs: bigint;
}

/** Takes a message and calls `done` when the next one may come; with QoS 1 that is the acknowledgement. */
export type MessageHandler = (message: MqttMessage, done: () => void) => void;

/** A connection to a broker that comes back for ever. */
export interface Connection {
  readonly isConnected: () => boolean;
  /** Publish, or keep until the broker is back. Resolves when the broker has it. */
  publish(topic: string, payload: string | Uint8Array, options?: { qos?: 0 | 1; retain?: boolean }): Promise<void>;
  /** Resolves at the first connection. */
  readonly connected: Promise<void>;
  /**
   * Ask for no more messages; resolves when the broker sends none any more, or at once while it is away. With QoS 1 the
   * subscriptions stay: the broker keeps for the next start what comes meanwhile.
   */
  unsubscribe(): Promise<void>;
  /**
   * Take messages of these filters from now on; resolves when the broker has said so, at once while it is away. The new
   * ones are asked for before the old are given up, so that none in common is missed.
   */
  subscribeTo(filters: readonly string[]): Promise<void>;
  /** Say offline and disconnect. */
  close(): Promise<void>;
}

/** What a connection needs beside the broker's address. */
export interface ConnectionOptions {
  readonly url: string;
  readonly mqtt: Config["mqtt"];
  /** Topic filters to subscribe to, anew at each connection. */
  readonly filters: readonly string[];
  readonly onMessage: MessageHandler;
  /** Told at each connection. */
  readonly onConnect?: () => void;
  readonly emit: Emit;
  readonly nowNs: () => bigint;
}

/** Longest pause between two attempts: a gateway has one broker and wants its data. */
const longestPauseMs = 30_000;

/** Pause before the next attempt: doubles, and differs by chance, so that a hall of gateways does not come back at once. */
const pauseMs = (attempts: number): number =>
  Math.min(longestPauseMs, 500 * 2 ** Math.min(attempts, 8)) * (0.75 + 0.5 * Math.random());

/**
 * Connect, also when the broker is not there yet: tries again for ever, subscribes at each connection, keeps what is
 * published meanwhile. `{base}/bridge/state` says online, and offline by the will. With QoS 1 the broker keeps the
 * session while we are away.
 */
export const connect = (options: ConnectionOptions): Connection => {
  const { url, mqtt: settings, onMessage, emit, nowNs } = options;
  let { filters } = options;
  /** Filters that the broker's session may still hold. */
  let givenUp: readonly string[] = [];
  const stateTopic = `${settings.base}/bridge/state`;
  const client = mqtt.connect(url, clientOptions(settings, stateTopic));
  client.handleMessage = ({ topic, payload, qos }, done) =>
    onMessage({ topic, payload: bytesOf(payload), qos, receivedAtNs: nowNs() }, () => done());
  const subscribe = async (): Promise<void> => {
    const wanted = filters;
    const asked = wanted.map((topic) =>
      client.subscribeAsync(topic, { qos: settings.qos }).catch((error: Error) => {
        emit({ name: "BrokerLost", detail: `Subscribing to ${topic} failed: ${error.message}.` });
      }),
    );
    await Promise.all(asked);
    const old = givenUp.filter((topic) => !wanted.includes(topic));
    if (old.length === 0 || !client.connected) return;
    // What fails here is tried again at the next connection.
    const isDone = await client.unsubscribeAsync([...old]).then(
      () => true,
      () => false,
    );
    if (isDone) givenUp = givenUp.filter((topic) => !old.includes(topic));
  };
  const connected = new Promise<void>((resolve) => client.once("connect", () => resolve()));
  let lost = false;
  let attempts = 0;
  client.on("reconnect", () => {
    client.options.reconnectPeriod = pauseMs(++attempts);
  });
  client.on("connect", () => {
    lost = false;
    attempts = 0;
    client.options.reconnectPeriod = pauseMs(0);
    void subscribe();
    client.publish(stateTopic, '{"state":"online"}', { retain: true, qos: 1 });
    emit({ name: "BrokerConnected", detail: `Connected to ${withoutSecrets(url)}.` });
    options.onConnect?.();
  });
  const away = (reason: string): void => {
    if (lost || client.disconnecting) return;
    lost = true;
    emit({ name: "BrokerLost", detail: `${withoutSecrets(url)} is away (${reason}); trying again for ever.` });
  };
  client.on("error", (error) => away("code" in error ? String(error.code) : error.message));
  client.on("close", () => away("connection closed"));
  return {
    isConnected: () => client.connected,
    connected,
    publish: async (topic, payload, options = {}) => {
      await client.publishAsync(topic, payload as Buffer, { qos: options.qos ?? 0, retain: options.retain ?? false });
    },
    unsubscribe: async () => {
      if (client.connected && settings.qos === 0) await within(1000, client.unsubscribeAsync([...filters]));
    },
    subscribeTo: async (next) => {
      givenUp = [...new Set([...givenUp, ...filters])].filter((topic) => !next.includes(topic));
      filters = next;
      if (client.connected) await within(5000, subscribe());
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

const bytesOf = (payload: string | Buffer): Uint8Array =>
  typeof payload === "string" ? new TextEncoder().encode(payload) : payload;

/** A broker's address without user and password. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, "//");
