import mqtt from "mqtt";

/** A client that only publishes: what a sensor does. */
export interface PublisherClient {
  /** Resolves when the broker has it. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A broker that does not answer. Exit code 69. */
export class BrokerAway extends Error {
  readonly exitCode = 69;
}

/** Connect a publisher. @throws BrokerAway when the broker is not there within five seconds */
export const connectPublisher = async (url: string, clientId: string, qos: 0 | 1): Promise<PublisherClient> => {
  const client = mqtt.connect(url, { clientId, reconnectPeriod: 1000, connectTimeout: 5000 });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail("no answer in 5 s"), 5000);
    const fail = (why: string): void => {
      clearTimeout(timer);
      client.end(true);
      reject(new BrokerAway(`--url: expected a broker at ${url.replace(/\/\/[^@/]*@/, "//")}, got ${why}`));
    };
    client.once("connect", () => {
      clearTimeout(timer);
      client.removeAllListeners("error");
      // What fails later is tried again by the client itself.
      client.on("error", () => {});
      resolve();
    });
    client.once("error", (error) => fail("code" in error ? String(error.code) : error.message));
  });
  return {
    publish: async (topic, payload) => {
      await client.publishAsync(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), { qos });
    },
    close: () => client.endAsync(true),
  };
};
