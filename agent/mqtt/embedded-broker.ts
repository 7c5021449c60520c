import { createServer } from "node:net";

/** A broker in this process. */
export interface EmbeddedBroker {
  readonly url: string;
  readonly port: number;
  /** Close all connections and the port. */
  close(): Promise<void>;
}

/** The embedded broker could not take its port. Exit code 69. */
export class BrokerError extends Error {
  readonly exitCode = 69;
}

/**
 * Start an MQTT 3.1.1 broker on the loopback interface only.
 * @param port TCP port; 0 takes any free one
 * @throws BrokerError when the port is taken or may not be opened
 */
export const startEmbeddedBroker = async (port: number): Promise<EmbeddedBroker> => {
  const { Aedes } = await import("aedes"); // loaded where it is needed: most gateways have a broker
  const broker = await Aedes.createBroker({ heartbeatInterval: 60_000 });
  const server = createServer(broker.handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      broker.close();
      const message = `mqtt.embeddedPort: expected a free port on 127.0.0.1, got ${cause.code ?? cause.message} for ${port}; 0 takes any free one`;
      reject(new BrokerError(message, { cause }));
    });
    server.listen({ port, host: "127.0.0.1" }, resolve);
  });
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `mqtt://127.0.0.1:${actual}`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        broker.close(() => server.close(() => resolve()));
      }),
  };
};
