import { randomUUID } from "node:crypto";
import mqtt from "mqtt";
import type { Config } from "../config/schema.ts";
import { clientOptions } from "./client-options.ts";
import { withoutSecrets } from "./connection.ts";
import type { MqttMessage } from "./message.ts";

/** A second client beside the agent, which looks on. */
export interface Visitor {
  /** Take the messages of these filters. */
  listen(filters: readonly string[], onMessage: (message: MqttMessage) => void): Promise<void>;
  /** Ask the agent at this broker for something; undefined where it gives no answer in five seconds. */
  ask(base: string, command: string, given: Readonly<Record<string, unknown>>): Promise<Answer | undefined>;
  close(): Promise<void>;
}

/** What an agent answered. */
export interface Answer {
  readonly status: "ok" | "error";
  readonly data?: unknown;
  readonly error?: string;
}

/** How long an agent may take for an answer, ms. */
const answerMs = 5000;

/** A broker that does not let one in: exit code 69 where it does not answer, 77 where it refuses. */
export class VisitRefused extends Error {
  readonly exitCode: 69 | 77;

  constructor(message: string, exitCode: 69 | 77, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** CONNACK codes that speak of credentials: 4, 5 [MQTT-3.2.2.3 of 3.1.1]; 0x86, 0x87, 0x8A, 0x8C of 5. */
const forbidden: ReadonlySet<unknown> = new Set([4, 5, 0x86, 0x87, 0x8a, 0x8c]);

/**
 * Connect to the broker of a configuration with its credentials, but as a client of another name, without session or
 * will: the agent that runs is not disturbed.
 *
 * @param role part of the client's name
 * @throws VisitRefused when there is no connection within five seconds
 */
export const visit = async (settings: Config["mqtt"], role: string): Promise<Visitor> => {
  const url = settings.url ?? `mqtt://127.0.0.1:${settings.embeddedPort}`;
  const { will: _, properties: __, ...options } = clientOptions(settings, "");
  const client = mqtt.connect(url, {
    ...options,
    clientId: `${settings.clientId}-${role}-${process.pid}`,
    clean: true,
    reconnectPeriod: 0,
    reconnectOnConnackError: false,
    connectTimeout: 5000,
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string, exitCode: 69 | 77, cause?: unknown): void => {
      clearTimeout(timer);
      client.end(true);
      reject(new VisitRefused(`expected a broker at ${withoutSecrets(url)}, got ${why}`, exitCode, { cause }));
    };
    const timer = setTimeout(() => fail("no answer in 5 s", 69), 5000);
    client.once("connect", () => {
      clearTimeout(timer);
      client.removeAllListeners("error");
      client.on("error", () => {});
      resolve();
    });
    client.once("error", (error) => {
      const code = "code" in error ? error.code : undefined;
      if (forbidden.has(code)) fail(`a refusal (${error.message})`, 77, error);
      else fail(typeof code === "string" ? code : error.message, 69, error);
    });
    client.once("close", () => fail("a closed connection", 69));
  });
  return {
    listen: async (filters, onMessage) => {
      client.on("message", (topic, payload, { qos }) =>
        onMessage({ topic, payload, qos, receivedAtNs: BigInt(Date.now()) * 1_000_000n }),
      );
      await client.subscribeAsync([...filters], { qos: 0 });
    },
    ask: async (base, command, given) => {
      const transaction = randomUUID();
      const answers = `${base}/bridge/response/${command}`;
      await client.subscribeAsync(answers, { qos: 1 });
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), answerMs);
        client.on("message", (topic, payload) => {
          if (topic !== answers) return;
          const answer = answerOf(payload);
          if (answer?.transaction !== transaction) return;
          clearTimeout(timer);
          resolve(answer);
        });
        client.publish(`${base}/bridge/request/${command}`, JSON.stringify({ ...given, transaction }), { qos: 1 });
      });
    },
    close: () => client.endAsync(true),
  };
};

const answerOf = (payload: Buffer): (Answer & { readonly transaction?: unknown }) | undefined => {
  try {
    return JSON.parse(payload.toString()) as Answer;
  } catch {
    return undefined; // of somebody who is no agent
  }
};
