import { createServer, type Server, type Socket } from "node:net";
import { plainTime } from "../../pipelines/context.ts";
import type { Agent } from "../agent.ts";
import type { Config, StreamConfig } from "../config/schema.ts";
import { addressOf } from "../http/address.ts";
import { version } from "../version.ts";
import { EventReader, eventBytes } from "./protocol.ts";
import { WakeSession } from "./session.ts";

/** Peers at once, at most: each has a pipeline of its own, and a number that the next one takes over. */
const maxPeers = 8;
const places = Array.from({ length: maxPeers }, (_, i) => i + 1);

/** A wake-word service that runs. */
export interface WyomingServer {
  stop(): Promise<void>;
}

/** The service could not take its port. Exit code 69. */
export class WyomingError extends Error {
  readonly exitCode = 69;
}

/**
 * Serve wake words by the Wyoming protocol. What peer n says is recorded as the stream `wyoming-n`, like a stream of the
 * configuration. There is no authentication in the protocol: the address is the loopback's unless it is set otherwise.
 *
 * @throws StreamsRefused where the model cannot be used, WyomingError where the port cannot be had
 */
export const startWyoming = async (agent: Agent, settings: NonNullable<Config["wyoming"]>): Promise<WyomingServer> => {
  const stream: StreamConfig = {
    name: "wyoming",
    codec: "pcm",
    pipeline: "audio",
    model: settings.model,
    settings: {},
    time: plainTime,
    queue: { maxMessages: 1, maxMegabytes: 1, policy: "block" },
    decisions: settings.decisions,
    levels: [],
  };
  const model = agent.streamSet.aside(stream, agent.config.chip);
  const taken = new Set<number>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // a peer that went away; "close" follows
    const place = places.find((i) => !taken.has(i));
    const say = (type: string, data?: Readonly<Record<string, unknown>>): void => {
      if (socket.writable) socket.write(eventBytes(type, data));
    };
    if (place === undefined) {
      say("error", { text: `peers: expected at most ${maxPeers}, got one more`, code: "too-many-peers" });
      socket.end();
      socket.resume(); // what it still says is read and left, so that the connection ends
      return;
    }
    taken.add(place);
    const reader = new EventReader();
    const name = `${stream.name}-${place}`;
    const session = new WakeSession({
      stream: name,
      listen: (onChange) => model.open(name, onChange),
      info: () => infoOf(model.labels, settings.model),
      say,
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
    });
    socket.on("data", (bytes) => {
      try {
        for (const event of reader.push(bytes)) session.take(event);
      } catch (error) {
        say("error", { text: error instanceof Error ? error.message : String(error), code: "malformed" });
        socket.end();
      }
    });
    socket.on("close", () => {
      session.close();
      taken.delete(place);
    });
  });
  await listening(server, settings.listen);
  return {
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

const listening = (server: Server, listen: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const message = `wyoming.listen: expected an address that is free, got ${cause.code} for ${listen}`;
      reject(new WyomingError(message, { cause }));
    });
    const { host, port } = addressOf(listen);
    server.listen({ host, port }, resolve);
  });

/** What Home Assistant asks for: https://github.com/rhasspy/wyoming, `describe` → `info`. */
const infoOf = (labels: readonly string[], model: string): Readonly<Record<string, unknown>> => {
  const attribution = { name: "Ohmwatch", url: "" };
  const common = { attribution, installed: true, version: version() };
  return {
    asr: [],
    tts: [],
    handle: [],
    intent: [],
    wake: [
      {
        ...common,
        name: "ohmwatch",
        description: `Keywords by ${model} on a simulated memristive crossbar`,
        models: labels.map((name) => ({ ...common, name, description: name, phrase: name, languages: ["en"] })),
      },
    ],
  };
};
