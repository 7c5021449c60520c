import type { Config } from "../config/schema.ts";
import type { Outbox, OutboxEntry } from "../store/outbox.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Connection } from "./connection.ts";
import type { PublishOptions } from "./message.ts";

/** Brings the events of the outbox to the broker. */
export interface Publisher {
  /** There may be something new in the outbox. */
  wake(): void;
  /** Resolves when the outbox is empty or the broker is away. */
  flush(): Promise<void>;
  /** Publish no more. */
  stop(): void;
}

/** What an event is, for receivers that read MQTT 5's user properties; a change that they must know changes it. */
const eventSchema = "ohmwatch-event/1";

/** Events on their way at once; more only delays what is forgotten. */
const batch = 32;

/**
 * Publish the outbox in order and at least once: `{base}/events` gets every event, `{base}/{stream}/{kind}` keeps the
 * last one (retained). An event leaves the outbox when the broker has acknowledged it.
 */
export const publishOutbox = (
  outbox: Pick<Outbox, "pending" | "published">,
  connection: Connection,
  settings: Pick<Config["mqtt"], "base" | "eventExpirySeconds">,
  emit: Emit,
): Publisher => {
  let isStopped = false;
  let running: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    while (!isStopped && connection.isConnected()) {
      const entries = outbox.pending(batch);
      if (entries.length === 0) return;
      await Promise.all(entries.flatMap((entry) => send(connection, settings, entry)));
      if (isStopped) return;
      outbox.published(entries.at(-1)!.sequence);
    }
  };
  const wake = (): void => {
    if (isStopped || running !== undefined) return;
    running = drain()
      .catch((error: unknown) => emit({ name: "PublishFailed", detail: `An event was not published: ${error}.` }))
      .finally(() => {
        running = undefined;
      });
  };
  return {
    wake,
    flush: async () => {
      await running;
      wake();
      await running;
    },
    stop: () => {
      isStopped = true;
    },
  };
};

const send = (
  connection: Connection,
  { base, eventExpirySeconds }: Pick<Config["mqtt"], "base" | "eventExpirySeconds">,
  { payload, isLatest, type }: OutboxEntry,
): Promise<void>[] => {
  const { after } = JSON.parse(payload) as { after: { stream: string; kind: string } };
  const options: PublishOptions = {
    qos: 1,
    contentType: "application/json",
    userProperties: { schema: eventSchema, type },
    ...(eventExpirySeconds !== undefined && { expirySeconds: eventExpirySeconds }),
  };
  const told = connection.publish(`${base}/events`, payload, options);
  if (!isLatest) return [told];
  const topic = `${base}/${after.stream}/${topicLevel(after.kind)}`;
  return [told, connection.publish(topic, payload, { ...options, retain: true })];
};

/** A label as one level of a topic. */
const topicLevel = (label: string): string => label.replace(/[+#/\0]/g, "_") || "_";
