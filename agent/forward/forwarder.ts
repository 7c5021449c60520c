import type { Config } from "../config/schema.ts";
import type { Connection } from "../mqtt/connection.ts";
import type { PublishOptions } from "../mqtt/message.ts";
import type { Outbox, OutboxEntry } from "../store/outbox.ts";
import type { RingEntry, TelemetryRing } from "../store/telemetry-ring.ts";
import type { Emit } from "../telemetry/events.ts";

/** Brings what waits in the database to the broker. */
export interface Forwarder {
  /** A connection was made: what was written before it counts as replayed. */
  connected(): void;
  /** There may be something new in the outbox. */
  wake(): void;
  /** Publish an event that the database did not take, behind those that it took, if the broker is there. */
  sendUnsaved(entry: Pick<OutboxEntry, "payload" | "isLatest">): void;
  /** Resolves when nothing waits or the broker is away. */
  flush(): Promise<void>;
  /** Publish no more. */
  stop(): void;
}

/** What a forwarder needs. */
export interface ForwarderParts {
  readonly outbox: Pick<Outbox, "pending" | "published" | "newest">;
  readonly ring: Pick<TelemetryRing, "oldest" | "published">;
  readonly connection: Pick<Connection, "isConnected" | "publish">;
  readonly settings: Pick<Config["mqtt"], "base" | "eventExpirySeconds"> & Pick<Config["forward"], "replayPerSecond">;
  readonly emit: Emit;
  /** Wait so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

/** What an event is, for receivers that read MQTT 5's user properties; a change that they must know changes it. */
const eventSchema = "ohmwatch-event/1";

/** Events on their way at once, at most; fewer on a slow link, where the last would wait too long for its PUBACK. */
const largestBatch = 32;
const firstBatch = 4;
/** A batch that takes longer is halved, one that takes a quarter of it is doubled. */
const batchMs = 2000;

/**
 * Publish the outbox in order and at least once: `{base}/events` gets every event, `{base}/{stream}/{kind}` keeps the
 * last one of the alarm's newest anomaly (retained). An event leaves the outbox when the broker has acknowledged it. What
 * had to wait for a connection is marked `replayed`, with the time `at` which it was written, and goes out no faster than
 * `replayPerSecond`. Statistics that waited in the ring follow when no event waits.
 */
export const forward = (parts: ForwarderParts): Forwarder => {
  const { outbox, ring, connection, settings, emit, pause } = parts;
  const { replayPerSecond } = settings;
  let isStopped = false;
  let running: Promise<void> | undefined;
  let replayedUpTo = outbox.newest();
  const goesOn = (): boolean => !isStopped && connection.isConnected();
  const replayBatch = Math.max(1, Math.min(largestBatch, Math.ceil(replayPerSecond / 10)));
  let batch = firstBatch;
  const timed = async (sent: readonly Promise<void>[]): Promise<void> => {
    const begunMs = performance.now();
    await Promise.all(sent);
    const tookMs = performance.now() - begunMs;
    if (tookMs > batchMs) batch = Math.max(1, batch >> 1);
    else if (tookMs < batchMs / 4) batch = Math.min(largestBatch, 2 * batch);
  };
  const unhurried = (count: number): Promise<void> => pause((1000 * count) / replayPerSecond);

  /** What the broker has, though a full disk may not let it be forgotten: it is not sent twice for that. */
  const acknowledged = { events: 0, statistics: 0 };
  const forget = (from: { published(sequence: number): void }, sequence: number): boolean => {
    try {
      from.published(sequence);
      return true;
    } catch (error) {
      const detail = `What the broker has cannot be taken out of the database: ${(error as Error).message}.`;
      emit({ name: "DatabaseFailed", detail });
      return false;
    }
  };

  const sendEvents = async (): Promise<boolean> => {
    const pending = outbox.pending(batch, acknowledged.events);
    const first = pending[0];
    if (first === undefined) return false;
    const isReplay = first.sequence <= replayedUpTo;
    const entries = isReplay
      ? pending.slice(0, replayBatch).filter(({ sequence }) => sequence <= replayedUpTo)
      : pending;
    await timed(entries.flatMap((entry) => send(parts, entry, isReplay ? { replayed: true } : {})));
    if (isStopped) return false;
    acknowledged.events = entries.at(-1)!.sequence;
    forget(outbox, acknowledged.events);
    if (isReplay) await unhurried(entries.length);
    return true;
  };
  const sendStatistics = async (): Promise<boolean> => {
    const entries = ring.oldest(Math.min(batch, replayBatch), acknowledged.statistics);
    if (entries.length === 0) return false;
    await timed(entries.map((entry) => connection.publish(entry.topic, asReplayed(entry), { qos: 1 })));
    if (isStopped) return false;
    acknowledged.statistics = entries.at(-1)!.sequence;
    // The ring counts from 1 again when it is empty.
    if (forget(ring, acknowledged.statistics)) acknowledged.statistics = 0;
    await unhurried(entries.length);
    return true;
  };
  const drain = async (): Promise<void> => {
    while (goesOn() && ((await sendEvents()) || (goesOn() && (await sendStatistics())))) {}
  };
  const wake = (): void => {
    if (isStopped || running !== undefined) return;
    running = drain()
      .catch((error: unknown) => emit({ name: "PublishFailed", detail: `A message was not published: ${error}.` }))
      .finally(() => {
        running = undefined;
      });
  };
  return {
    connected: () => {
      replayedUpTo = outbox.newest();
      wake();
    },
    wake,
    sendUnsaved: (entry) => {
      const now = (): void => {
        if (!connection.isConnected()) return;
        const event = { ...entry, atMs: undefined };
        for (const sent of send({ connection, settings }, event, { stored: false })) sent.catch(() => {});
      };
      if (running === undefined) now();
      else void running.then(now);
    },
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
  { connection, settings }: Pick<ForwarderParts, "connection" | "settings">,
  { payload, isLatest, atMs }: Pick<OutboxEntry, "payload" | "isLatest"> & { readonly atMs: number | undefined },
  marks: Readonly<Record<string, boolean>>,
): Promise<void>[] => {
  const { type, ...event } = JSON.parse(payload) as { type: string; after: { stream: string; kind: string } };
  const at = atMs === undefined ? {} : { at: new Date(atMs).toISOString() };
  const message = JSON.stringify({ type, ...at, ...marks, ...event });
  const { base, eventExpirySeconds } = settings;
  const options: PublishOptions = {
    qos: 1,
    contentType: "application/json",
    userProperties: { schema: eventSchema, type, ...(marks["replayed"] && { replayed: "true" }) },
    ...(eventExpirySeconds !== undefined && { expirySeconds: eventExpirySeconds }),
  };
  const told = connection.publish(`${base}/events`, message, options);
  if (!isLatest) return [told];
  const topic = `${base}/${event.after.stream}/${topicLevel(event.after.kind)}`;
  return [told, connection.publish(topic, message, { ...options, retain: true })];
};

const asReplayed = ({ payload, atMs }: RingEntry): string =>
  JSON.stringify({ at: new Date(atMs).toISOString(), replayed: true, ...(JSON.parse(payload) as object) });

/** A label as one level of a topic. */
const topicLevel = (label: string): string => label.replace(/[+#/\0]/g, "_") || "_";
